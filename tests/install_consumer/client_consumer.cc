// SPDX-License-Identifier: Apache-2.0
// Uses the installed client as its documentation says, with no router there;
// exits 0 if it says so.
#include <grpcpp/security/credentials.h>

#include <cstdio>

#include "bandit/client/client.h"
#include "bandit/client/token.h"

int main() {
  using bandit::client::Client;
  Client client("127.0.0.1:1", grpc::InsecureChannelCredentials());
  const bandit::client::Scope scope(bandit::client::Subject().Unit("user-7"));
  bandit::client::Reward reward;
  reward.request_id = "request-7";
  if (!scope.subject().status().ok() || !client.rewards().Send(reward).ok() ||
      client.rewards().Close(absl::ZeroDuration()).size() != 1 ||
      bandit::client::ReadToken("none").ok()) {
    std::puts("the installed client answers wrong");
    return 1;
  }
  std::puts("ok");
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
// A service's side of the router in one object: a channel for its stubs and a
// sender for its rewards.
//
//   bandit::client::Client bandit("127.0.0.1:8080",
//                                 grpc::InsecureChannelCredentials());
//   auto stub = inference::GRPCInferenceService::NewStub(bandit.channel());
//   bandit::client::Scope scope(Subject().Unit(user));
//   stub->ModelInfer(&context, request, &response);
//   bandit.rewards().Send(scope.decision(), "click", 1);
#ifndef BANDIT_CLIENT_CLIENT_H_
#define BANDIT_CLIENT_CLIENT_H_

#include <grpcpp/channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <memory>
#include <string>

#include "bandit/client/reward_sender.h"
#include "bandit/client/scope.h"

namespace bandit::client {

struct ClientOptions {
  grpc::ChannelArguments channel;
  // Where rewards go. Empty: to `target`, which passes them on.
  std::string rewards_target;
  RewardSenderOptions rewards;
};

// Thread-safety: all calls may overlap, but not with the destructor.
class Client {
 public:
  // `target` is the router's `listen` port. Does not connect yet.
  Client(const std::string& target,
         const std::shared_ptr<grpc::ChannelCredentials>& credentials,
         ClientOptions options = {});

  // With the interceptor: see Scope.
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }
  RewardSender& rewards() { return rewards_; }

 private:
  const std::shared_ptr<grpc::Channel> channel_;
  RewardSender rewards_;
};

// A channel with the interceptor that finds a router soon after it is back:
// unless `arguments` say otherwise, it reconnects after 0.1 to 5 seconds.
std::shared_ptr<grpc::Channel> MakeChannel(
    const std::string& target,
    const std::shared_ptr<grpc::ChannelCredentials>& credentials,
    const grpc::ChannelArguments& arguments = {});

}  // namespace bandit::client

#endif  // BANDIT_CLIENT_CLIENT_H_

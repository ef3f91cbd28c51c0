// SPDX-License-Identifier: Apache-2.0
// One unary call to the router's control services.
#ifndef BANDIT_CLIENTS_CLI_ROUTER_CALL_H_
#define BANDIT_CLIENTS_CLI_ROUTER_CALL_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "clients/cli/result.h"
#include "grpcpp/grpcpp.h"

namespace bandit::cli {

struct RouterAddress {
  // host:port, [::1]:port, dns:///name:port or unix:/path.
  std::string address = "127.0.0.1:8081";
  // For the whole call, the connection included.
  absl::Duration timeout = absl::Seconds(5);
  // TLS, if any of these is given.
  bool tls = false;         // With the system's authorities.
  std::string ca;           // PEM file of authorities instead.
  std::string certificate;  // PEM files: who calls, and its key.
  std::string key;
  std::string server_name;  // That the certificate must have; empty: the host.
  // Bearer token; empty: none.
  std::string token;

  bool UsesTls() const {
    return tls || !ca.empty() || !certificate.empty() || !key.empty() ||
           !server_name.empty();
  }
};

using Call = std::function<grpc::Status(
    const std::shared_ptr<grpc::Channel>& channel, grpc::ClientContext*)>;

// Makes `call` with a deadline. On failure the result says what is in the way
// and what mends it: kUnknownExperiment for NOT_FOUND; kRefused for
// FAILED_PRECONDITION, PERMISSION_DENIED and UNAUTHENTICATED; kInvalid for
// INVALID_ARGUMENT and an address, a file or a token that is none; kNoAnswer
// for anything else.
// Cost: blocks until the answer, at most for the timeout.
Result CallRouter(const RouterAddress& router, const Call& call);

// For an answer that no router gives: a model server may answer any method,
// with what happens to parse.
Result NoRouter(const RouterAddress& router);

}  // namespace bandit::cli

#endif  // BANDIT_CLIENTS_CLI_ROUTER_CALL_H_

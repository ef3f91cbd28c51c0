// SPDX-License-Identifier: Apache-2.0
// The control plane's gRPC server: feedback, admin, health, reflection.
#ifndef BANDIT_ROUTER_CONTROL_CONTROL_SERVER_H_
#define BANDIT_ROUTER_CONTROL_CONTROL_SERVER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/server.h"
#include "router/control/admin_service.h"
#include "router/control/feedback_service.h"
#include "router/experiment/token.h"
#include "router/learning/learner.h"

namespace bandit::control {

// Waiting calls hold no thread.
// Ownership: borrows the signer and the learner, which must answer until
// Shutdown has returned.
class ControlServer {
 public:
  struct Options {
    // `host:port`; port 0 takes a free one.
    std::string address;
    // Where the data plane reaches the same services: `unix:/path` or
    // `unix-abstract:name`. Empty: nowhere.
    std::string internal_address;
    std::string version;
    absl::Time started;
    const experiment::TokenSigner* signer = nullptr;
    learning::Learner* learner = nullptr;
  };

  // Fails with Unavailable if an address cannot be listened on.
  static absl::StatusOr<std::unique_ptr<ControlServer>> Start(
      const Options& options);

  // Shuts down at once if Shutdown was not called.
  ~ControlServer();

  int port() const { return port_; }

  // Health of bandit.v1.Feedback; the other services stay as they are.
  // Thread-safety: any thread may call.
  void SetFeedbackServing(bool serving);

  // Takes no new calls, waits for those under way and cancels what is left
  // after `grace`.
  void Shutdown(absl::Duration grace);

 private:
  ControlServer(const Options& options)
      : feedback_(options.signer, options.learner),
        admin_(options.learner, options.version, options.started) {}

  FeedbackService feedback_;
  AdminService admin_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
};

}  // namespace bandit::control

#endif  // BANDIT_ROUTER_CONTROL_CONTROL_SERVER_H_

// SPDX-License-Identifier: Apache-2.0
// The control plane's gRPC server: feedback, admin, health, reflection.
#ifndef BANDIT_ROUTER_CONTROL_CONTROL_SERVER_H_
#define BANDIT_ROUTER_CONTROL_CONTROL_SERVER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/server.h"
#include "router/control/access.h"
#include "router/control/admin_service.h"
#include "router/control/feedback_service.h"
#include "router/experiment/token.h"
#include "router/learning/learner.h"
#include "router/tls/credentials.h"

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
    // Who may call. `access.mutual_tls` follows from `tls`.
    Access::Options access;
    // Of `control_tls`; null, or without it: cleartext. Borrowed.
    const tls::Credentials* tls = nullptr;
    bool tls_1_3 = false;  // TLS 1.2 is refused.
  };

  // Fails with Unavailable if an address cannot be listened on.
  static absl::StatusOr<std::unique_ptr<ControlServer>> Start(
      const Options& options);

  // Shuts down at once if Shutdown was not called.
  ~ControlServer();

  int port() const { return port_; }
  // Admin for the process itself: past Access, which its callers must have
  // asked. Not to be used after the server's end.
  std::unique_ptr<v1::Admin::StubInterface> InProcessAdmin();
  const Access& access() const { return access_; }

  // Health of bandit.v1.Feedback; the other services stay as they are.
  // Thread-safety: any thread may call.
  void SetFeedbackServing(bool serving);
  // Health of the router as a whole, the empty service: whether requests can
  // be served. NOT_SERVING until it is called.
  // Thread-safety: any thread may call.
  void SetReady(bool ready);

  // Takes no new calls, waits for those under way and cancels what is left
  // after `grace`.
  void Shutdown(absl::Duration grace);

 private:
  explicit ControlServer(const Options& options)
      : access_(AccessOf(options)),
        feedback_(options.signer, options.learner),
        admin_(options.learner, &access_, options.version, options.started) {}

  static Access::Options AccessOf(const Options& options);

  const Access access_;
  // gRPC asks them as long as it serves.
  std::vector<std::shared_ptr<grpc::ServerCredentials>> credentials_;
  FeedbackService feedback_;
  AdminService admin_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
};

}  // namespace bandit::control

#endif  // BANDIT_ROUTER_CONTROL_CONTROL_SERVER_H_

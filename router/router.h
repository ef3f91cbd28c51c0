// SPDX-License-Identifier: Apache-2.0
// The sidecar, put together: learning side, workers, control plane, admin HTTP.
#ifndef BANDIT_ROUTER_ROUTER_H_
#define BANDIT_ROUTER_ROUTER_H_

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "bandit/v1/config.pb.h"
#include "router/control/admin_http.h"
#include "router/control/control_server.h"
#include "router/control/lifecycle_metrics.h"
#include "router/control/webhooks.h"
#include "router/dashboard/events.h"
#include "router/dashboard/history.h"
#include "router/dashboard/sampler.h"
#include "router/dashboard/site.h"
#include "router/learning/clock.h"
#include "router/learning/learning_side.h"
#include "router/observe/observer.h"
#include "router/proxy/worker.h"
#include "router/tls/credentials.h"

namespace bandit {

// Thread-safety: none but where it says so; the thread that starts it reloads
// and stops it.
class Router {
 public:
  // Starts to serve. `config` passed config::Load.
  // Fails with a message that names what is in the way (an address in use, a
  // state that cannot be opened); nothing runs then.
  static absl::StatusOr<std::unique_ptr<Router>> Start(
      const v1::RouterConfig& config, const std::string& version);

  ~Router();

  // "listen=127.0.0.1:8080 control=127.0.0.1:8081 admin=127.0.0.1:9090", with
  // the ports that were really taken.
  std::string Addresses() const;

  // Goes on with another config; requests go on. Fails and changes nothing if
  // it cannot be compiled, a file that it names not be read or its state not
  // be written.
  absl::Status Reload(const v1::RouterConfig& config);

  // Reads the files of certificates again and takes over what has changed and
  // is right; the log says so.
  void ReloadCertificates();
  const tls::Credentials& credentials() const { return credentials_; }
  control::LifecycleMetrics& lifecycle_metrics() { return *lifecycle_; }

  // What the dashboard shows: that the config was loaded again, or not.
  void NoteReload(bool loaded, const std::string& summary);
  // Keeps what the dashboard shows over time. To be called now and then.
  void Sample();

  // Why requests cannot be served, if so. Any thread may call it.
  absl::Status Ready() const;
  // Says it in gRPC health. To be called now and then.
  void TellReadiness();

  // Takes no new connections, finishes what is under way within `grace`,
  // commits what was learned.
  void Stop(absl::Duration grace);
  // Ends the grace of a Stop that another thread is in.
  void Hurry();

 private:
  explicit Router(const v1::RouterConfig& config) : config_(config) {}

  absl::Status Open(const std::string& version);
  absl::Status BindWorkers();
  absl::Status StartControl(const std::string& version);
  absl::Status StartAdmin(const std::string& version);

  // As started: what needs a restart stays so.
  const v1::RouterConfig config_;
  learning::SystemClock clock_;
  tls::Credentials credentials_;
  std::shared_ptr<control::LifecycleMetrics> lifecycle_ =
      std::make_shared<control::LifecycleMetrics>(&credentials_, &clock_);
  std::unique_ptr<control::Webhooks> webhooks_;
  dashboard::Events events_;
  dashboard::History history_{absl::Seconds(2)};
  std::unique_ptr<learning::LearningSide> learning_;
  std::unique_ptr<dashboard::Sampler> sampler_;
  std::unique_ptr<observe::Observer> observer_;
  // Where workers reach the control plane, not seen outside this host.
  std::string control_socket_;
  std::atomic<uint32_t> connections_ = 0;
  upstream::Circuits circuits_;
  proxy::Admission::Shared admission_;
  std::vector<std::unique_ptr<proxy::Worker>> workers_;
  std::unique_ptr<control::ControlServer> control_;
  std::unique_ptr<dashboard::Site> site_;
  std::unique_ptr<control::AdminHttp> admin_;
  enum class Phase { kStarting, kServing, kDraining };
  std::atomic<Phase> phase_ = Phase::kStarting;
  bool stopped_ = false;
};

}  // namespace bandit

#endif  // BANDIT_ROUTER_ROUTER_H_

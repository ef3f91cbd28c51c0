// SPDX-License-Identifier: Apache-2.0
#include "router/router.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <chrono>
#include <random>
#include <utility>

#include "router/config/describe.h"
#include "router/control/guardrail_metrics.h"
#include "router/control/metrics.h"
#include "router/control/observe_metrics.h"
#include "router/cpu_count.h"
#include "router/upstream/address.h"

namespace bandit {
namespace {

uint64_t RandomSeed() {
  std::random_device device;
  return static_cast<uint64_t>(device()) << 32 | device();
}

// Of a clock that nobody sets.
absl::Time SteadyNow() {
  return absl::UnixEpoch() +
         absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

// `address` with another port.
std::string WithPort(const std::string& address, int port) {
  return fmt::format("{}:{}", address.substr(0, address.rfind(':')), port);
}

std::vector<std::pair<std::string, std::string>> Identities(
    const v1::RouterConfig& config) {
  std::vector<std::pair<std::string, std::string>> identities;
  for (const v1::IdentityConfig& identity : config.identities()) {
    identities.emplace_back(identity.name(), identity.token());
  }
  return identities;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Router>> Router::Start(
    const v1::RouterConfig& config, const std::string& version) {
  std::unique_ptr<Router> router(new Router(config));
  if (auto status = router->Open(version); !status.ok()) {
    router->Stop(absl::ZeroDuration());
    return status;
  }
  return router;
}

Router::~Router() { Stop(absl::ZeroDuration()); }

absl::Status Router::Open(const std::string& version) {
  auto prepared = credentials_.Prepare(config_);
  if (!prepared.ok()) return prepared.status();
  credentials_.Adopt(*std::move(prepared));
  auto learning = learning::LearningSide::Open(config_, &clock_);
  if (!learning.ok()) return learning.status();
  learning_ = *std::move(learning);
  webhooks_ = std::make_unique<control::Webhooks>(RandomSeed());
  webhooks_->Use(control::TargetsOf(config_));
  learning_->learner().WatchGuardrails([this](const guardrails::Transition& t) {
    events_.OnTransition(t);
    webhooks_->Tell(t);
  });
  events_.OnStart(version, clock_.Now());
  sampler_ = std::make_unique<dashboard::Sampler>(&learning_->learner(),
                                                  &history_, &events_);
  observer_ = std::make_unique<observe::Observer>(observe::Observer::Options{
      .version = version, .seed = RandomSeed(), .unix_ns = [this] {
        return absl::ToUnixNanos(clock_.Now());
      }});
  auto observing = observer_->Open(config_);
  if (!observing.ok()) return observing.status();
  // Abstract: needs no writable directory and leaves nothing behind.
  control_socket_ =
      fmt::format("bandit-router/{}/{:016x}", getpid(), RandomSeed());

  if (auto status = BindWorkers(); !status.ok()) return status;
  if (auto status = StartControl(version); !status.ok()) return status;
  if (auto status = StartAdmin(version); !status.ok()) return status;

  observer_->Use(*std::move(observing));
  std::vector<learning::WorkerPort*> ports;
  for (const auto& worker : workers_) {
    worker->Publish(learning_->learner().snapshot());
    worker->Start();
    ports.push_back(worker.get());
  }
  learning_->learner().Start(std::move(ports));
  phase_ = Phase::kServing;
  return absl::OkStatus();
}

absl::Status Router::BindWorkers() {
  auto listen = upstream::ParseAddress(config_.listen());
  if (!listen.ok()) return listen.status();
  if (listen->port != 0) {
    if (auto s = proxy::Listener::CheckFree(*listen); !s.ok()) return s;
  }
  const int count = config_.workers() > 0 ? static_cast<int>(config_.workers())
                                          : AllowedCpus();
  for (int i = 0; i < count; ++i) {
    workers_.push_back(std::make_unique<proxy::Worker>(proxy::WorkerOptions{
        .listen = *listen,
        .control_socket = control_socket_,
        .signer = &learning_->signer(),
        .credentials = &credentials_,
        .circuits = &circuits_,
        .seed = RandomSeed(),
        .connections = &connections_,
        .unix_ms = [this] { return absl::ToUnixMillis(clock_.Now()); },
        .tap = observer_->AddTap(),
        .admission = &admission_,
        .workers = static_cast<size_t>(count)}));
    if (auto status = workers_.back()->Bind(); !status.ok()) return status;
    // The others share the port that the first one got.
    listen->port = workers_.back()->address().port;
  }
  return absl::OkStatus();
}

absl::Status Router::StartControl(const std::string& version) {
  auto control = control::ControlServer::Start(
      {.address = config_.control(),
       .internal_address = "unix-abstract:" + control_socket_,
       .version = version,
       .started = clock_.Now(),
       .signer = &learning_->signer(),
       .learner = &learning_->learner(),
       .access = {.token = config_.control_token(),
                  .identities = Identities(config_),
                  .client_names = {config_.control_tls().client_names().begin(),
                                   config_.control_tls().client_names().end()}},
       .tls = &credentials_,
       .tls_1_3 = config_.control_tls().min_version() == "1.3"});
  if (!control.ok()) return control.status();
  control_ = *std::move(control);
  learning_->learner().WatchStore([control = control_.get()](bool works) {
    control->SetFeedbackServing(works);
  });
  return absl::OkStatus();
}

absl::Status Router::StartAdmin(const std::string& version) {
  learning::Learner* const learner = &learning_->learner();
  site_ = std::make_unique<dashboard::Site>(dashboard::Site::Options{
      .api = {.admin = control_->InProcessAdmin(),
              .access = &control_->access(),
              .history = &history_,
              .events = &events_,
              .audited = [learner] { return learner->view()->audited; },
              .version = version,
              .now = &SteadyNow},
      .hosts = {config_.admin_hosts().begin(), config_.admin_hosts().end()}});
  auto admin = control::AdminHttp::Start(
      {.address = config_.admin(),
       .metrics = {std::make_shared<control::RouterMetrics>(
                       &learning_->learner(), version),
                   lifecycle_,
                   std::make_shared<control::ObserveMetrics>(
                       &observer_->tally()),
                   std::make_shared<control::WebhookMetrics>(webhooks_.get())},
       .ready = [this] { return Ready(); },
       .pages = [this](const auto& request) { return site_->Answer(request); },
       .post_path = dashboard::kActPath});
  if (!admin.ok()) return admin.status();
  admin_ = *std::move(admin);
  return absl::OkStatus();
}

std::string Router::Addresses() const {
  return fmt::format("listen={} control={} admin={}",
                     workers_.front()->address().ToString(),
                     WithPort(config_.control(), control_->port()),
                     WithPort(config_.admin(), admin_->port()));
}

absl::Status Router::Reload(const v1::RouterConfig& config) {
  for (const std::string& field : config::NeedRestart(config_, config)) {
    spdlog::warn("{} was changed; it takes effect after a restart", field);
  }
  auto prepared = credentials_.Prepare(config);
  if (!prepared.ok()) return prepared.status();
  auto observing = observer_->Open(config);
  if (!observing.ok()) return observing.status();
  if (auto status = learning_->Adopt(config); !status.ok()) return status;
  credentials_.Adopt(*std::move(prepared));
  observer_->Use(*std::move(observing));
  webhooks_->Use(control::TargetsOf(config));
  return absl::OkStatus();
}

void Router::ReloadCertificates() {
  for (const auto& change : credentials_.Reload(clock_.Now())) {
    if (!change.status.ok()) {
      spdlog::error(
          "the certificates of {} were not loaded: {}; the old ones "
          "stay",
          change.name, std::string(change.status.message()));
      continue;
    }
    spdlog::info("the certificates of {} were loaded", change.name);
    if (!change.warning.empty()) {
      spdlog::warn("the certificate of {} {}", change.name, change.warning);
    }
  }
}

void Router::NoteReload(bool loaded, const std::string& summary) {
  events_.OnReload(loaded, summary, clock_.Now());
}

void Router::Sample() { sampler_->Look(clock_.Now()); }

absl::Status Router::Ready() const {
  switch (phase_) {
    case Phase::kStarting:
      return absl::UnavailableError("starting");
    case Phase::kDraining:
      return absl::UnavailableError("draining");
    case Phase::kServing:
      break;
  }
  for (const auto& worker : workers_) {
    if (worker->reachable()) return absl::OkStatus();
  }
  return absl::UnavailableError(
      "no backend of an experiment, nor default_backend, can be reached");
}

void Router::TellReadiness() { control_->SetReady(Ready().ok()); }

void Router::Hurry() {
  for (const auto& worker : workers_) worker->Drain(absl::ZeroDuration());
}

void Router::Stop(absl::Duration grace) {
  if (std::exchange(stopped_, true)) return;
  phase_ = Phase::kDraining;
  if (control_ != nullptr) control_->SetReady(false);
  for (const auto& worker : workers_) worker->Drain(grace);
  for (const auto& worker : workers_) worker->Join();
  if (control_ != nullptr) control_->Shutdown(absl::Seconds(1));
  if (learning_ != nullptr) learning_->learner().Stop();
  if (observer_ != nullptr) observer_->Stop();
  admin_.reset();
  site_.reset();
  control_.reset();
}

}  // namespace bandit

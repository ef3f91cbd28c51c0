// SPDX-License-Identifier: Apache-2.0
#include "router/lifecycle.h"

#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "router/config/describe.h"
#include "router/experiment/plan.h"
#include "router/service_manager.h"

namespace bandit {
namespace {

// How often files are looked at and readiness is told. A file must look the
// same twice, so a change takes effect within two of these.
constexpr timespec kLookEvery = {.tv_sec = 0, .tv_nsec = 300'000'000};
// What ending may take beyond the grace period: a transaction that is under
// way, the last one. A disk that hangs must not keep the process alive.
constexpr absl::Duration kStopPatience = absl::Seconds(5);
// Tells the main thread that draining is over.
constexpr int kDrained = SIGUSR1;

sigset_t Signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, kDrained}) {
    sigaddset(&signals, signal);
  }
  return signals;
}

absl::Duration GraceOf(const v1::RouterConfig& config) {
  return absl::Seconds(config.grace().seconds()) +
         absl::Nanoseconds(config.grace().nanos());
}

// Exit code of an end that had to leave a thread behind.
constexpr int kStuck = 3;

}  // namespace

absl::StatusOr<config::LoadedConfig> LoadServingConfig(
    const std::string& path) {
  auto loaded = config::Load(path);
  if (!loaded.ok()) {
    fmt::print(stderr, "{}\n", std::string(loaded.status().message()));
    return loaded;
  }
  const auto plan = experiment::CompilePlan(loaded->proto, {});
  if (!plan.ok()) {
    fmt::print(stderr, "{}: {}\n", path, std::string(plan.status().message()));
    return plan.status();
  }
  return loaded;
}

void PrintWarnings(const config::LoadedConfig& loaded) {
  for (const std::string& warning : loaded.warnings) {
    fmt::print(stderr, "warning: {}\n", warning);
  }
}

void Lifecycle::BlockSignals() {
  const sigset_t signals = Signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

absl::Status Lifecycle::Run() {
  auto router = Router::Start(loaded_.proto, options_.version);
  if (!router.ok()) return router.status();
  router_ = *std::move(router);
  router_->Sample();
  fmt::print("bandit-router ready {}\n", router_->Addresses());
  std::fflush(stdout);
  TellServiceManager("READY=1");
  WatchFiles();

  const sigset_t signals = Signals();
  for (;;) {
    const int signal = sigtimedwait(&signals, nullptr, &kLookEvery);
    if (signal == SIGTERM || signal == SIGINT) {
      Drain(signal);
      return absl::OkStatus();
    }
    if (signal == SIGHUP) Reload(Cause::kSignal);
    LookAtFiles();
    router_->TellReadiness();
    router_->Sample();
  }
}

void Lifecycle::WatchFiles() {
  std::vector<std::string> paths = router_->credentials().files();
  if (loaded_.proto.reload_on_change()) paths.push_back(options_.config_path);
  watch_.Watch(paths);
}

void Lifecycle::LookAtFiles() {
  std::vector<std::string> changed = watch_.Look();
  const auto config =
      std::find(changed.begin(), changed.end(), options_.config_path);
  if (config != changed.end()) {
    Reload(Cause::kFileChange);
    changed.erase(config);
  }
  if (!changed.empty()) router_->ReloadCertificates();
}

void Lifecycle::Reload(Cause cause) {
  // Who waits for the reload hears of its end, whichever it is.
  const auto told = absl::MakeCleanup([] { TellServiceManager("READY=1"); });
  TellServiceManager("RELOADING=1");
  const std::string& path = options_.config_path;
  auto loaded = LoadServingConfig(path);
  // Written again as it was, or looked at for the first time.
  if (cause == Cause::kFileChange && loaded.ok() && *loaded == loaded_) return;
  absl::Status status = loaded.status();
  if (status.ok()) {
    PrintWarnings(*loaded);
    status = router_->Reload(loaded->proto);
    if (!status.ok()) {
      fmt::print(stderr, "{}: {}\n", path, std::string(status.message()));
    }
  }
  router_->lifecycle_metrics().OnReload(status.ok());
  router_->NoteReload(status.ok(), status.ok() ? config::Summary(loaded->proto)
                                               : std::string(status.message()));
  if (!status.ok()) {
    spdlog::error("{} was not loaded; the old config stays", path);
    return;
  }
  loaded_ = *std::move(loaded);
  WatchFiles();
  spdlog::info("{} was loaded: {}, digest {}", path,
               config::Summary(loaded_.proto), loaded_.digest);
}

void Lifecycle::Drain(int signal) {
  TellServiceManager("STOPPING=1");
  const absl::Duration grace = options_.grace.value_or(GraceOf(loaded_.proto));
  spdlog::info("{}: draining, at most {}", strsignal(signal),
               absl::FormatDuration(grace));
  const pthread_t main_thread = pthread_self();
  std::thread drain([this, grace, main_thread] {
    router_->Stop(grace);
    pthread_kill(main_thread, kDrained);
  });
  AwaitDrained(grace + kStopPatience);
  drain.join();
  spdlog::info("stopped");
}

void Lifecycle::AwaitDrained(absl::Duration patience) {
  // Not the wall clock, which may be set meanwhile.
  const auto begun = std::chrono::steady_clock::now();
  const auto elapsed = [begun] {
    return absl::FromChrono(std::chrono::steady_clock::now() - begun);
  };
  const sigset_t signals = Signals();
  for (;;) {
    const timespec left =
        absl::ToTimespec(std::max(absl::ZeroDuration(), patience - elapsed()));
    const int next = sigtimedwait(&signals, nullptr, &left);
    if (next == kDrained) return;
    if (next == SIGTERM || next == SIGINT) {
      spdlog::warn("{} again: what is under way is cut off", strsignal(next));
      router_->Hurry();
      patience = std::min(patience, elapsed() + kStopPatience);
    }
    if (elapsed() < patience) continue;
    spdlog::error(
        "the learner did not end: is the disk of the state stuck? Ending "
        "without it; every acknowledged reward was written, decisions of the "
        "last moments may be uncounted");
    // The threads that hang hold what a destructor would need.
    std::_Exit(kStuck);
  }
}

}  // namespace bandit

// SPDX-License-Identifier: Apache-2.0
// bandit-router: flags, signals, exit codes.
#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "router/config/describe.h"
#include "router/config/load.h"
#include "router/experiment/plan.h"
#include "router/router.h"

namespace {

constexpr int kCannotStart = 1;
constexpr int kBadConfig = 2;

struct Flags {
  std::string config;
  bool check = false;
  std::string log_level = "info";
  double grace_seconds = 10;
};

// A config that serves: what the file says fits together, too.
absl::StatusOr<bandit::config::LoadedConfig> LoadConfig(
    const std::string& path) {
  auto loaded = bandit::config::Load(path);
  if (!loaded.ok()) {
    fmt::print(stderr, "{}\n", std::string(loaded.status().message()));
    return loaded;
  }
  const auto plan = bandit::experiment::CompilePlan(loaded->proto, {});
  if (!plan.ok()) {
    fmt::print(stderr, "{}: {}\n", path, std::string(plan.status().message()));
    return plan.status();
  }
  return loaded;
}

void Reload(bandit::Router& router, const std::string& path) {
  auto loaded = LoadConfig(path);
  if (!loaded.ok()) {
    spdlog::error("{} was not loaded; the old config stays", path);
    return;
  }
  const absl::Status status = router.Reload(loaded->proto);
  if (status.ok()) {
    spdlog::info("{} was loaded: {}, digest {}", path,
                 bandit::config::Summary(loaded->proto), loaded->digest);
  } else {
    spdlog::error("{} was not loaded: {}; the old config stays", path,
                  std::string(status.message()));
  }
}

int Serve(const Flags& flags, const bandit::v1::RouterConfig& config,
          const sigset_t& signals) {
  auto router = bandit::Router::Start(config, BANDIT_VERSION);
  if (!router.ok()) {
    spdlog::error("{}", std::string(router.status().message()));
    return kCannotStart;
  }
  // Scripts wait for this line and read the ports from it.
  fmt::print("bandit-router ready {}\n", (*router)->Addresses());
  std::fflush(stdout);

  int signal = 0;
  while (sigwait(&signals, &signal) == 0 && signal == SIGHUP) {
    Reload(**router, flags.config);
  }
  spdlog::info("{}: draining, at most {} s", strsignal(signal),
               flags.grace_seconds);
  (*router)->Stop(absl::Seconds(flags.grace_seconds));
  spdlog::info("stopped");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Flags flags;
  CLI::App app(
      "A gRPC sidecar that routes inference requests to model variants by a "
      "bandit policy.\nSIGTERM drains, SIGHUP loads the config again.");
  app.add_option("--config", flags.config, "The config, a YAML file")
      ->required();
  app.add_flag("--check", flags.check,
               "Only say whether the config is right; exit code 2 if not");
  app.add_option("--log-level", flags.log_level)
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
      ->capture_default_str();
  app.add_option("--grace", flags.grace_seconds,
                 "Seconds that SIGTERM leaves to calls under way")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.set_version_flag("--version", "bandit-router " BANDIT_VERSION);
  CLI11_PARSE(app, argc, argv);

  // A reader of the access log that is gone, and a file that may not grow, are
  // errors of a write.
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
  // Waited for in Serve; every thread inherits the mask.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
    sigaddset(&signals, signal);
  }
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  spdlog::set_default_logger(spdlog::stderr_logger_mt("bandit-router"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
  spdlog::set_level(spdlog::level::from_str(flags.log_level));

  const auto loaded = LoadConfig(flags.config);
  if (!loaded.ok()) return kBadConfig;
  if (flags.check) {
    fmt::print("{}: {}\n", flags.config,
               bandit::config::Summary(loaded->proto));
    return 0;
  }
  return Serve(flags, loaded->proto, signals);
}

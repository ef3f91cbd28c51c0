// SPDX-License-Identifier: Apache-2.0
// bandit-router: flags, log, exit codes.
#include <fmt/format.h>
#include <signal.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <utility>

#include "router/config/describe.h"
#include "router/lifecycle.h"

namespace {

constexpr int kCannotStart = 1;
constexpr int kBadConfig = 2;

struct Flags {
  std::string config;
  bool check = false;
  std::string log_level = "info";
  std::optional<double> grace_seconds;
};

// A connection takes a descriptor. The soft limit is low for the sake of
// select(), which is not used here.
void RaiseFileLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
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
                 "Seconds that SIGTERM leaves to calls under way, instead of "
                 "the config's grace")
      ->check(CLI::NonNegativeNumber);
  app.set_version_flag("--version", "bandit-router " BANDIT_VERSION);
  CLI11_PARSE(app, argc, argv);

  // A reader of the access log that is gone, and a file that may not grow, are
  // errors of a write.
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
  RaiseFileLimit();
  bandit::Lifecycle::BlockSignals();
  spdlog::set_default_logger(spdlog::stderr_logger_mt("bandit-router"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
  spdlog::set_level(spdlog::level::from_str(flags.log_level));

  auto loaded = bandit::LoadServingConfig(flags.config);
  if (!loaded.ok()) return kBadConfig;
  bandit::PrintWarnings(*loaded);
  if (flags.check) {
    fmt::print("{}: {}\n", flags.config,
               bandit::config::Summary(loaded->proto));
    return 0;
  }
  bandit::Lifecycle::Options options{
      .config_path = flags.config, .grace = {}, .version = BANDIT_VERSION};
  if (flags.grace_seconds.has_value()) {
    options.grace = absl::Seconds(*flags.grace_seconds);
  }
  bandit::Lifecycle lifecycle(std::move(options), *std::move(loaded));
  if (const absl::Status status = lifecycle.Run(); !status.ok()) {
    spdlog::error("{}", std::string(status.message()));
    return kCannotStart;
  }
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
// A router from its start to its end: signals, reloads, draining.
#ifndef BANDIT_ROUTER_LIFECYCLE_H_
#define BANDIT_ROUTER_LIFECYCLE_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "router/config/file_watch.h"
#include "router/config/load.h"
#include "router/router.h"

namespace bandit {

// A config that serves: what the file says fits together, too. Says on
// standard error what is wrong with it.
absl::StatusOr<config::LoadedConfig> LoadServingConfig(const std::string& path);

// What is doubtful in it, on standard error.
void PrintWarnings(const config::LoadedConfig& loaded);

// SIGHUP loads the config again, and so does a change of its file; a change of
// a certificate's file loads that. What is broken changes nothing. SIGTERM and
// SIGINT drain, a second one ends what is left at once. A learner that does not
// end (a disk that hangs) holds the process for some seconds only.
//
// Thread-safety: none.
class Lifecycle {
 public:
  struct Options {
    std::string config_path;
    // Instead of the config's.
    std::optional<absl::Duration> grace;
    std::string version;
  };

  // To be called before any thread is started: blocks the signals that are
  // waited for later.
  static void BlockSignals();

  Lifecycle(Options options, config::LoadedConfig loaded)
      : options_(std::move(options)), loaded_(std::move(loaded)) {}

  // Starts a router, prints the line that scripts wait for, serves until a
  // signal ends it. Fails if the router cannot start.
  absl::Status Run();

 private:
  enum class Cause { kSignal, kFileChange };

  void Reload(Cause cause);
  void LookAtFiles();
  void WatchFiles();
  void Drain(int signal);
  // Until draining is over; ends the process if that takes longer.
  void AwaitDrained(absl::Duration patience);

  const Options options_;
  config::LoadedConfig loaded_;  // In use.
  config::FileWatch watch_;
  std::unique_ptr<Router> router_;
};

}  // namespace bandit

#endif  // BANDIT_ROUTER_LIFECYCLE_H_

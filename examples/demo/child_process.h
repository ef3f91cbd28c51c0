// SPDX-License-Identifier: Apache-2.0
// A child process that cannot outlive this one.
#ifndef BANDIT_EXAMPLES_DEMO_CHILD_PROCESS_H_
#define BANDIT_EXAMPLES_DEMO_CHILD_PROCESS_H_

#include <sys/types.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace bandit::demo {

// What the child prints goes to a log file: nobody needs to read a pipe, and
// the log's end explains a child that died.
//
// The child is in a process group of its own, so that a Ctrl-C in the terminal
// reaches only this process; the kernel kills it if the thread that started it
// ends (PR_SET_PDEATHSIG), however that happens.
//
// Thread-safety: none. Start it on the main thread.
class ChildProcess {
 public:
  // Runs `arguments` (the first is the program's path).
  // Fails with NotFound if the program cannot be executed, Internal if the
  // system refuses a process.
  static absl::StatusOr<std::unique_ptr<ChildProcess>> Start(
      const std::vector<std::string>& arguments, const std::string& log_path);

  // Stops it.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t pid() const { return pid_; }
  const std::string& name() const { return name_; }

  // How it ended ("exit code 2", "signal 11"); nullopt while it runs.
  std::optional<std::string> Ended();

  // Waits for a line that begins with `prefix` and returns it.
  // Fails with Aborted if the child ends first, DeadlineExceeded after
  // `timeout`, Cancelled if `stop` becomes true; the message has the log's end.
  absl::StatusOr<std::string> WaitForLine(std::string_view prefix,
                                          absl::Duration timeout,
                                          const std::atomic<bool>& stop);

  // The last lines that it printed.
  std::string LogTail() const;

  // Asks it to end (SIGTERM), kills it after `grace`, and reaps it.
  void Stop(absl::Duration grace);

 private:
  ChildProcess(pid_t pid, std::string name, std::string log_path);

  const pid_t pid_;
  const std::string name_;
  const std::string log_path_;
  // Set once it is reaped; the pid may then belong to somebody else.
  std::optional<std::string> ended_;
};

// The value of `key` in a line of "key=value" words; empty if there is none.
std::string Field(std::string_view line, std::string_view key);

}  // namespace bandit::demo

#endif  // BANDIT_EXAMPLES_DEMO_CHILD_PROCESS_H_

// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/durability/router_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <regex>

#include "absl/status/status.h"
#include "fmt/format.h"

namespace bandit::testing {

absl::StatusOr<std::unique_ptr<RouterProcess>> RouterProcess::Start(
    const std::vector<std::string>& arguments, const std::string& ready) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return absl::ErrnoToStatus(errno, "no pipe");
  }
  std::vector<char*> argv;
  for (const std::string& argument : arguments) {
    argv.push_back(const_cast<char*>(argument.c_str()));
  }
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  std::unique_ptr<RouterProcess> process(new RouterProcess());
  const int error = posix_spawn(&process->pid_, argv[0], &actions, nullptr,
                                argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  process->output_ = ends[0];
  if (error != 0) {
    process->pid_ = -1;
    return absl::ErrnoToStatus(error, fmt::format("cannot run {}", argv[0]));
  }
  const std::regex pattern(ready);
  std::string text, line;
  char c;
  while (read(process->output_, &c, 1) == 1) {
    text += c;
    if (c != '\n') {
      line += c;
      continue;
    }
    std::smatch match;
    if (std::regex_search(line, match, pattern)) {
      process->control_port_ = std::stoi(match[1]);
      return process;
    }
    line.clear();
  }
  return absl::UnavailableError(
      fmt::format("{} ended before it was ready; it said: {}", argv[0], text));
}

RouterProcess::~RouterProcess() {
  Kill();
  if (output_ >= 0) close(output_);
}

void RouterProcess::Kill() { Signal(SIGKILL); }

int RouterProcess::Terminate() { return Signal(SIGTERM); }

int RouterProcess::Signal(int signal) {
  if (pid_ < 0) return 0;
  kill(pid_, signal);
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

}  // namespace bandit::testing

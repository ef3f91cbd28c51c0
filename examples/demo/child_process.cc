// SPDX-License-Identifier: Apache-2.0
#include "examples/demo/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <deque>
#include <filesystem>
#include <fstream>
#include <utility>

#include "absl/time/clock.h"
#include "fmt/format.h"

namespace bandit::demo {
namespace {

constexpr absl::Duration kPoll = absl::Milliseconds(10);

// Runs in the child between fork and exec: only async-signal-safe calls.
[[noreturn]] void Become(char* const* argv, int log, pid_t parent) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // The parent may have died before the line above.
  if (getppid() != parent) _exit(127);
  const int null = open("/dev/null", O_RDONLY);
  dup2(null, STDIN_FILENO);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  execv(argv[0], argv);
  _exit(127);
}

// The first complete line that begins with `prefix`.
std::optional<std::string> FindLine(const std::string& path,
                                    std::string_view prefix) {
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line) && !file.eof()) {
    if (line.starts_with(prefix)) return line;
  }
  return std::nullopt;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ChildProcess>> ChildProcess::Start(
    const std::vector<std::string>& arguments, const std::string& log_path) {
  const std::string& program = arguments.front();
  if (access(program.c_str(), X_OK) != 0) {
    return absl::NotFoundError(
        fmt::format("cannot run {}: {}", program, std::strerror(errno)));
  }
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (const std::string& argument : arguments) {
    argv.push_back(const_cast<char*>(argument.c_str()));
  }
  argv.push_back(nullptr);
  const int log =
      open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log < 0) {
    return absl::InternalError(
        fmt::format("cannot write {}: {}", log_path, std::strerror(errno)));
  }
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) Become(argv.data(), log, parent);
  const int error = errno;
  close(log);
  if (pid < 0) {
    return absl::InternalError(
        fmt::format("cannot start {}: {}", program, std::strerror(error)));
  }
  return std::unique_ptr<ChildProcess>(new ChildProcess(
      pid, std::filesystem::path(program).filename(), log_path));
}

ChildProcess::ChildProcess(pid_t pid, std::string name, std::string log_path)
    : pid_(pid), name_(std::move(name)), log_path_(std::move(log_path)) {}

ChildProcess::~ChildProcess() { Stop(absl::Seconds(5)); }

std::optional<std::string> ChildProcess::Ended() {
  if (ended_.has_value()) return ended_;
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
  ended_ = WIFSIGNALED(status)
               ? fmt::format("signal {}", WTERMSIG(status))
               : fmt::format("exit code {}", WEXITSTATUS(status));
  return ended_;
}

absl::StatusOr<std::string> ChildProcess::WaitForLine(
    std::string_view prefix, absl::Duration timeout,
    const std::atomic<bool>& stop) {
  const absl::Time deadline = absl::Now() + timeout;
  while (true) {
    // Asked first: what it printed before it ended is then in the log.
    const std::optional<std::string> ended = Ended();
    if (std::optional<std::string> line = FindLine(log_path_, prefix)) {
      return *std::move(line);
    }
    if (ended.has_value()) {
      return absl::AbortedError(
          fmt::format("{} ended with {}:\n{}", name_, *ended, LogTail()));
    }
    if (stop) return absl::CancelledError("interrupted");
    if (absl::Now() > deadline) {
      return absl::DeadlineExceededError(
          fmt::format("{} was not ready after {:.0f} s:\n{}", name_,
                      absl::ToDoubleSeconds(timeout), LogTail()));
    }
    absl::SleepFor(kPoll);
  }
}

std::string ChildProcess::LogTail() const {
  constexpr size_t kLines = 10;
  std::ifstream file(log_path_);
  std::deque<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    lines.push_back(line);
    if (lines.size() > kLines) lines.pop_front();
  }
  std::string tail;
  for (const std::string& line : lines) tail += fmt::format("  {}\n", line);
  return tail.empty() ? "  (it printed nothing)\n" : tail;
}

void ChildProcess::Stop(absl::Duration grace) {
  if (Ended().has_value()) return;
  kill(pid_, SIGTERM);
  const absl::Time deadline = absl::Now() + grace;
  while (!Ended().has_value() && absl::Now() < deadline) {
    absl::SleepFor(kPoll);
  }
  if (ended_.has_value()) return;
  kill(pid_, SIGKILL);
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  ended_ = fmt::format("signal {}", SIGKILL);
}

std::string Field(std::string_view line, std::string_view key) {
  const std::string wanted = fmt::format(" {}=", key);
  const size_t at = line.find(wanted);
  if (at == std::string_view::npos) return "";
  line.remove_prefix(at + wanted.size());
  return std::string(line.substr(0, line.find(' ')));
}

}  // namespace bandit::demo

// SPDX-License-Identifier: Apache-2.0
#include "router/observe/log_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <limits.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace bandit::observe {
namespace {

constexpr mode_t kMode = 0640;  // Who called is not everybody's to read.
constexpr int64_t kComplainEveryNs = 1'000'000'000;

uint64_t LinesIn(std::string_view text) {
  return static_cast<uint64_t>(std::count(text.begin(), text.end(), '\n'));
}

bool IsRegular(int fd) {
  struct stat about {};
  return fstat(fd, &about) == 0 && S_ISREG(about.st_mode);
}

}  // namespace

LogFile::LogFile(std::string path, int fd, bool owned, Tally::Results* tally)
    : path_(std::move(path)),
      fd_(fd),
      owned_(owned),
      waits_(!IsRegular(fd)),
      tally_(tally) {}

absl::StatusOr<std::unique_ptr<LogFile>> LogFile::Open(const std::string& path,
                                                       Tally::Results* tally) {
  const auto make = [&](int fd, bool owned) {
    return std::unique_ptr<LogFile>(new LogFile(path, fd, owned, tally));
  };
  if (path == "stdout") return make(STDOUT_FILENO, false);
  if (path == "stderr") return make(STDERR_FILENO, false);
  // Not to wait for the reader of a named pipe.
  const int fd =
      open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK,
           kMode);
  if (fd < 0) {
    return absl::FailedPreconditionError(fmt::format(
        "access_log.path = {} cannot be opened: {}; make its directory "
        "writable for the router's user, or name another file",
        path, std::strerror(errno)));
  }
  return make(fd, true);
}

LogFile::~LogFile() {
  tally_->failed.Add(LinesIn(pending_));
  if (owned_) close(fd_);
}

void LogFile::Add(std::string_view line) {
  if (pending_.size() + line.size() > kRoom) {
    tally_->dropped.Add(1);
    return;
  }
  pending_ += line;
}

void LogFile::Flush(int64_t now_ns) {
  while (begin_ < pending_.size() && WriteSome(now_ns)) {
  }
  pending_.erase(0, begin_);
  begin_ = 0;
}

bool LogFile::WriteSome(int64_t now_ns) {
  std::string_view next = std::string_view(pending_).substr(begin_);
  if (waits_) {
    pollfd ready{.fd = fd_, .events = POLLOUT, .revents = 0};
    if (poll(&ready, 1, 0) <= 0) return false;
    // A pipe that can be written to takes this much without waiting, and in
    // one piece. So whole lines, if they fit.
    next = next.substr(0, PIPE_BUF);
    const size_t newline = next.rfind('\n');
    if (newline != std::string_view::npos) next = next.substr(0, newline + 1);
  }
  if (torn_) next = "\n";
  const ssize_t written = write(fd_, next.data(), next.size());
  if (written < 0) {
    if (errno == EAGAIN) return false;
    if (errno != EINTR) OnError(errno, now_ns);
    return true;
  }
  const std::string_view done = next.substr(0, static_cast<size_t>(written));
  if (done.empty()) return true;
  if (std::exchange(torn_, false)) return true;
  begin_ += done.size();
  in_line_ = done.back() != '\n';
  tally_->done.Add(LinesIn(done));
  return true;
}

void LogFile::OnError(int error, int64_t now_ns) {
  const uint64_t lines = LinesIn(std::string_view(pending_).substr(begin_));
  begin_ = pending_.size();
  // The next line must not be the end of one that has no other.
  torn_ |= std::exchange(in_line_, false);
  tally_->failed.Add(lines);
  lost_ += lines;
  if (now_ns < next_complaint_ns_) return;
  next_complaint_ns_ = now_ns + kComplainEveryNs;
  spdlog::error("the access log {} cannot be written: {}; {} lines are lost",
                path_, std::strerror(error), std::exchange(lost_, 0));
}

}  // namespace bandit::observe

// SPDX-License-Identifier: Apache-2.0
// A file, pipe or terminal that lines are appended to without ever waiting for
// whoever reads it.
#ifndef BANDIT_ROUTER_OBSERVE_LOG_FILE_H_
#define BANDIT_ROUTER_OBSERVE_LOG_FILE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "router/observe/tally.h"

namespace bandit::observe {

// Lines wait in memory while the reader of a pipe does not read, as far as
// there is room; then they are dropped. A write that fails loses what waits.
// Every line ends up in the tally, as done, dropped or failed.
// Thread-safety: none.   Ownership: borrows the tally.
class LogFile {
 public:
  // What waits to be written, at most.
  static constexpr size_t kRoom = size_t{1} << 20;

  // `path`: "stdout", "stderr" or a file, which is made if it is not there.
  // Fails if it cannot be opened: `path` says why, and what to do.
  static absl::StatusOr<std::unique_ptr<LogFile>> Open(const std::string& path,
                                                       Tally::Results* tally);
  ~LogFile();
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  // Takes one line, its newline included.
  void Add(std::string_view line);

  // Writes what can be written at once. Says in the log, once a second at most,
  // if that fails.
  void Flush(int64_t now_ns);

 private:
  LogFile(std::string path, int fd, bool owned, Tally::Results* tally);

  // False: nothing can be written at present.
  bool WriteSome(int64_t now_ns);
  void OnError(int error, int64_t now_ns);

  const std::string path_;
  const int fd_;
  const bool owned_;
  const bool waits_;  // A write may wait for a reader.
  Tally::Results* const tally_;
  std::string pending_;
  size_t begin_ = 0;      // What is before it was written.
  bool in_line_ = false;  // What was written last ends within a line,
  bool torn_ = false;     // and the rest of that line is lost.
  int64_t next_complaint_ns_ = INT64_MIN;
  uint64_t lost_ = 0;  // Since the last complaint.
};

}  // namespace bandit::observe

#endif  // BANDIT_ROUTER_OBSERVE_LOG_FILE_H_

// SPDX-License-Identifier: Apache-2.0
// A lock on a path that says who holds it.
//
// Two routers on one state file would each overwrite what the other learned,
// so the second one must not start.
#ifndef BANDIT_ROUTER_STORE_FILE_LOCK_H_
#define BANDIT_ROUTER_STORE_FILE_LOCK_H_

#include <string>

#include "absl/status/statusor.h"

namespace bandit::store {

// Held until destruction or the end of the process, however it ends.
class FileLock {
 public:
  // Makes `path` if need be. Fails with FailedPrecondition naming the holder
  // if another FileLock, of this or another process, has it; else as the
  // system says (`path` cannot be made).
  static absl::StatusOr<FileLock> Take(const std::string& path);

  FileLock(FileLock&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();

 private:
  explicit FileLock(int fd) : fd_(fd) {}

  int fd_;
};

}  // namespace bandit::store

#endif  // BANDIT_ROUTER_STORE_FILE_LOCK_H_

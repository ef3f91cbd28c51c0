// SPDX-License-Identifier: Apache-2.0
// How far long work is, on standard error.
#ifndef BANDIT_CLIENTS_CLI_PROGRESS_H_
#define BANDIT_CLIENTS_CLI_PROGRESS_H_

#include <cstdio>
#include <string_view>

#include "absl/time/time.h"

namespace bandit::cli {

// Says nothing in the first two seconds; then, on a terminal, one line that is
// written over twice a second and is gone at the end, elsewhere a line every
// ten seconds.
// Thread-safety: none.   Ownership: borrows the file.
class Progress {
 public:
  explicit Progress(std::FILE* out);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // `what` is being done; the share `done` of the whole is over.
  void Show(std::string_view what, double done, absl::Time now);

 private:
  std::FILE* out_;
  bool terminal_;
  bool shown_ = false;
  absl::Time begin_ = absl::InfiniteFuture();
  absl::Time next_;
};

}  // namespace bandit::cli

#endif  // BANDIT_CLIENTS_CLI_PROGRESS_H_

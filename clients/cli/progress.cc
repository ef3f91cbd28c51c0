// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/progress.h"

#include <unistd.h>

#include <algorithm>

#include "fmt/format.h"

namespace bandit::cli {
namespace {

constexpr absl::Duration kSilence = absl::Seconds(2);
constexpr absl::Duration kOnTerminal = absl::Milliseconds(500);
constexpr absl::Duration kElsewhere = absl::Seconds(10);

}  // namespace

Progress::Progress(std::FILE* out)
    : out_(out), terminal_(isatty(fileno(out)) == 1) {}

Progress::~Progress() {
  // Clears the line.
  if (terminal_ && shown_) std::fputs("\r\x1b[K", out_);
}

void Progress::Show(std::string_view what, double done, absl::Time now) {
  if (now < begin_) {
    begin_ = now;
    next_ = now + (terminal_ ? kSilence : kElsewhere);
  }
  if (now < next_) return;
  next_ = now + (terminal_ ? kOnTerminal : kElsewhere);
  const absl::Duration left =
      (now - begin_) * ((1 - done) / std::max(done, 1e-9));
  const std::string line =
      fmt::format("{:3.0f} %, {}, {} left", 100 * done, what,
                  absl::FormatDuration(absl::Ceil(left, absl::Seconds(1))));
  if (terminal_) {
    std::fputs(fmt::format("\r\x1b[K{}", line).c_str(), out_);
  } else {
    std::fputs((line + "\n").c_str(), out_);
  }
  std::fflush(out_);
  shown_ = true;
}

}  // namespace bandit::cli

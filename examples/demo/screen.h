// SPDX-License-Identifier: Apache-2.0
// The live table.
#ifndef BANDIT_EXAMPLES_DEMO_SCREEN_H_
#define BANDIT_EXAMPLES_DEMO_SCREEN_H_

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "examples/demo/summary.h"
#include "examples/demo/tally.h"

namespace bandit::demo {

struct View {
  absl::Duration elapsed;
  absl::Duration total;
  uint64_t in_flight = 0;
  // Rewards not yet acknowledged.
  uint64_t rewards_open = 0;
};

// Per arm: share of the last five seconds' requests, probability (the
// router's), mean reward with its count, latency; then totals, and the shares
// per device if the policy is contextual. Lines end with \n.
std::string RenderTable(const View& view, const RunFacts& run,
                        const Tally& tally);

// Draws the table in place on a terminal, one below the other elsewhere.
// Thread-safety: none.   Ownership: borrows `out`.
class Screen {
 public:
  Screen(std::FILE* out, bool terminal) : out_(out), terminal_(terminal) {}
  // How often it is worth drawing.
  absl::Duration interval() const {
    return terminal_ ? absl::Milliseconds(250) : absl::Seconds(5);
  }
  void Draw(std::string_view text);

 private:
  std::FILE* out_;
  bool terminal_;
  // Lines of the last drawing, to go back over.
  int lines_ = 0;
};

}  // namespace bandit::demo

#endif  // BANDIT_EXAMPLES_DEMO_SCREEN_H_

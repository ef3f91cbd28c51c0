// SPDX-License-Identifier: Apache-2.0
// When an endpoint that fails requests is left out, and for how long.
#ifndef BANDIT_ROUTER_UPSTREAM_OUTLIER_H_
#define BANDIT_ROUTER_UPSTREAM_OUTLIER_H_

#include <cstddef>
#include <cstdint>
#include <random>

namespace bandit::upstream {

struct OutlierOptions {
  uint32_t consecutive_failures = 5;  // 0: never left out.
  int64_t base_ejection_ns = 10'000'000'000;
  int64_t max_ejection_ns = 300'000'000'000;
  double max_share = 0.5;
};

// Whether one more of `endpoints` may be left out when `ejected` are: at most
// max_share of them, but one always may if there are others.
bool MayEject(size_t ejected, size_t endpoints, const OutlierOptions& options);

// The record of one endpoint. An ejection takes twice as long as the one
// before, with up to a tenth more at random, so that what failed together does
// not come back together. Time without an ejection takes it back: one doubling
// for each span as long as the last ejection.
//
// Thread-safety: none.   Determinism: the calls, their times and the random
// source.
class Outlier {
 public:
  void OnAnswered() { failures_ = 0; }
  // True: it has failed often enough in a row to be left out.
  bool OnFailed(const OutlierOptions& options) {
    ++failures_;
    return options.consecutive_failures > 0 &&
           failures_ >= options.consecutive_failures && !ejected();
  }

  void Eject(const OutlierOptions& options, int64_t now_ns,
             std::mt19937_64& random);
  // Ends an ejection whose time is over; whether it did.
  bool Return(int64_t now_ns);

  bool ejected() const { return until_ns_ != 0; }
  // While ejected: when it ends.
  int64_t until_ns() const { return until_ns_; }

 private:
  uint32_t failures_ = 0;  // In a row.
  int ejections_ = 0;      // As far as they have not been taken back.
  int64_t length_ns_ = 0;  // Of the last ejection.
  int64_t until_ns_ = 0;   // 0: not ejected.
  int64_t returned_ns_ = 0;
};

}  // namespace bandit::upstream

#endif  // BANDIT_ROUTER_UPSTREAM_OUTLIER_H_

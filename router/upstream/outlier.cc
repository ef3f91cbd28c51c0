// SPDX-License-Identifier: Apache-2.0
#include "router/upstream/outlier.h"

#include <algorithm>
#include <cmath>

namespace bandit::upstream {

bool MayEject(size_t ejected, size_t endpoints, const OutlierOptions& options) {
  if (endpoints < 2) return false;
  const double allowed =
      std::floor(options.max_share * static_cast<double>(endpoints));
  return ejected == 0 || static_cast<double>(ejected + 1) <= allowed;
}

void Outlier::Eject(const OutlierOptions& options, int64_t now_ns,
                    std::mt19937_64& random) {
  if (length_ns_ > 0) {
    const int64_t behaved = (now_ns - returned_ns_) / length_ns_;
    ejections_ = static_cast<int>(std::max<int64_t>(0, ejections_ - behaved));
  }
  const int64_t longest =
      std::max(options.base_ejection_ns, options.max_ejection_ns);
  length_ns_ = options.base_ejection_ns;
  for (int i = 0; i < ejections_ && length_ns_ < longest; ++i) length_ns_ *= 2;
  length_ns_ = std::min(length_ns_, longest);
  ++ejections_;
  const double jitter = static_cast<double>(random() >> 11) * 0x1p-53 * 0.1;
  until_ns_ = now_ns + length_ns_ +
              static_cast<int64_t>(jitter * static_cast<double>(length_ns_));
  failures_ = 0;
}

bool Outlier::Return(int64_t now_ns) {
  if (!ejected() || now_ns < until_ns_) return false;
  until_ns_ = 0;
  returned_ns_ = now_ns;
  return true;
}

}  // namespace bandit::upstream

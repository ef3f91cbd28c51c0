// SPDX-License-Identifier: Apache-2.0
// Each arm's share of an experiment's latest decisions.
#ifndef BANDIT_ROUTER_LEARNING_RECENT_SHARES_H_
#define BANDIT_ROUTER_LEARNING_RECENT_SHARES_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>

namespace bandit::learning {

// Old decisions fade: beyond a window's worth, all counts are scaled down
// together. Thread-safety: none.
class RecentShares {
 public:
  void Count(const std::string& experiment, const std::string& arm,
             uint64_t decisions) {
    Recent& recent = recent_[experiment];
    recent.arms[arm] += static_cast<double>(decisions);
    recent.total += static_cast<double>(decisions);
    if (recent.total <= kWindow) return;
    const double scale = kWindow / recent.total;
    for (auto& [name, count] : recent.arms) count *= scale;
    recent.total = kWindow;
  }

  // `otherwise` if the experiment has had no decision.
  double Share(const std::string& experiment, const std::string& arm,
               double otherwise) const {
    const auto recent = recent_.find(experiment);
    if (recent == recent_.end()) return otherwise;
    const auto count = recent->second.arms.find(arm);
    if (count == recent->second.arms.end()) return 0;
    return count->second / recent->second.total;
  }

 private:
  static constexpr double kWindow = 1000;

  struct Recent {
    std::map<std::string, double> arms;
    double total = 0;
  };
  std::map<std::string, Recent> recent_;
};

}  // namespace bandit::learning

#endif  // BANDIT_ROUTER_LEARNING_RECENT_SHARES_H_

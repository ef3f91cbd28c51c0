// SPDX-License-Identifier: Apache-2.0
// The name that somebody most likely meant.
#ifndef BANDIT_ROUTER_CONFIG_NEAREST_H_
#define BANDIT_ROUTER_CONFIG_NEAREST_H_

#include <string>
#include <string_view>
#include <vector>

namespace bandit::config {

// The one of `known` nearest to `name`, if it is near: at most one edit
// (insertion, deletion, substitution, swap of neighbours) for every three
// characters, after case, `-` and `_` are left out. Empty if there is none.
// Cost: O(known * length^2); names above 128 bytes have no neighbours.
std::string_view Nearest(std::string_view name,
                         const std::vector<std::string>& known);

// `, did you mean "x"?`, or nothing.
std::string DidYouMean(std::string_view name,
                       const std::vector<std::string>& known);

// "a, b or c", the first dozen; "none" if there are none.
std::string AnyOf(const std::vector<std::string>& names);

}  // namespace bandit::config

#endif  // BANDIT_ROUTER_CONFIG_NEAREST_H_

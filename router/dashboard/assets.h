// SPDX-License-Identifier: Apache-2.0
// The page, as dashboard/dist has it. Written at build time by
// cmake/Embed.cmake.
#ifndef BANDIT_ROUTER_DASHBOARD_ASSETS_H_
#define BANDIT_ROUTER_DASHBOARD_ASSETS_H_

#include <string_view>

#include "absl/types/span.h"

namespace bandit::dashboard {

struct Asset {
  std::string_view name;  // "app.js"
  std::string_view bytes;
};

absl::Span<const Asset> Assets();

}  // namespace bandit::dashboard

#endif  // BANDIT_ROUTER_DASHBOARD_ASSETS_H_

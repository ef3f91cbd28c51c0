// SPDX-License-Identifier: Apache-2.0
#include "router/control/code_name.h"

#include "router/observe/code_name.h"

namespace bandit::control {

void ForEachCode(
    const learning::CallCounts& counts,
    absl::FunctionRef<void(const std::string& name, uint64_t count)> visit) {
  for (size_t code = 0; code < counts.grpc_codes.size(); ++code) {
    if (counts.grpc_codes[code] > 0) {
      visit(observe::CodeName(static_cast<int>(code)), counts.grpc_codes[code]);
    }
  }
  for (const auto& [code, count] : counts.http_codes) {
    visit(observe::CodeName(code), count);
  }
}

}  // namespace bandit::control

// SPDX-License-Identifier: Apache-2.0
#include "router/guardrails/rule.h"

namespace bandit::guardrails {

std::string_view Name(Action action) {
  switch (action) {
    case Action::kAlert:
      return "alert";
    case Action::kHold:
      return "hold";
    case Action::kEject:
      return "eject";
    case Action::kRollBack:
      return "roll_back";
  }
  return "";
}

}  // namespace bandit::guardrails

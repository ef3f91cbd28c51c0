// SPDX-License-Identifier: Apache-2.0
// The words and numbers that renderings of a status share.
#ifndef BANDIT_CLIENTS_CLI_STATUS_FORMAT_H_
#define BANDIT_CLIENTS_CLI_STATUS_FORMAT_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/time/time.h"
#include "bandit/v1/admin.pb.h"

namespace bandit::cli {

// By name; protobuf's maps have no order.
using Counts = std::map<std::string, uint64_t>;

template <typename Map>
Counts SortedCounts(const Map& counts) {
  return {counts.begin(), counts.end()};
}

// "LATE 3, REJECTED 1"
std::string JoinCounts(const Counts& counts);

// "2h3m5s"; below a minute to a tenth of a second, "4.2s", "300ms".
std::string DurationWords(absl::Duration duration);
// As of `now`; a clock that is behind the router's gives "0s".
std::string AgeWords(const google::protobuf::Timestamp& then, absl::Time now);

// Counts are whole unless the policy discounts them.
std::string CountWords(double count);

// "12.3"
std::string Milliseconds(const google::protobuf::Duration& duration);

// By code; without those that went well.
Counts ErrorsOf(const v1::ArmStatus& arm);

// What guardrails did, and what they found broken: indented lines.
std::string RenderGuardrails(const v1::ExperimentStatus& experiment);

}  // namespace bandit::cli

#endif  // BANDIT_CLIENTS_CLI_STATUS_FORMAT_H_

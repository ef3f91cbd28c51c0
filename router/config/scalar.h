// SPDX-License-Identifier: Apache-2.0
// Numbers, durations and sizes as people write them, and back.
#ifndef BANDIT_ROUTER_CONFIG_SCALAR_H_
#define BANDIT_ROUTER_CONFIG_SCALAR_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"

namespace bandit::config {

// 1, -0.5, 1e-3. Finite, within a double.
std::optional<double> ParseNumber(std::string_view text);

// A whole number, cut off at the limits of int64 and uint64 (a range check
// then rejects it); nullopt if `text` is not [+-]digits.
struct Whole {
  bool negative = false;
  uint64_t magnitude = 0;
};
std::optional<Whole> ParseWhole(std::string_view text);

// 250ms, 1.5s, 1h30m, 7d, 0: units ns, us, ms, s, m, h, d. Not negative and
// within what google.protobuf.Duration holds.
std::optional<absl::Duration> ParseDuration(std::string_view text);

// 64MiB, 1.5KiB, 10MB, 100: units B, KiB, MiB, GiB, TiB (powers of 1024) and
// kB, MB, GB, TB (powers of 1000). A whole number of bytes, below 2^53.
std::optional<uint64_t> ParseBytes(std::string_view text);

// In the largest unit that gives a whole number: 64MiB.
std::string FormatBytes(uint64_t bytes);

google::protobuf::Duration ToProto(absl::Duration duration);
absl::Duration FromProto(const google::protobuf::Duration& duration);

}  // namespace bandit::config

#endif  // BANDIT_ROUTER_CONFIG_SCALAR_H_

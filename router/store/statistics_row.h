// SPDX-License-Identifier: Apache-2.0
// The bytes of one row of statistics.
//
// Arms are named, so that a row outlives an edit of the config; the layout of
// the vectors is the ledger's affair. All numbers little-endian:
//
//   u8   version, 1
//   u8   flags: bit 0, the center is set
//   f64  center
//   i64  matured_before
//   u16  number of outcome counts, then u64 each
//   u32  width: doubles in an arm's vector
//   u16  number of arms; for each: u16 length of the name, the name, width f64
//   u64  XXH3 of all bytes before
#ifndef BANDIT_ROUTER_STORE_STATISTICS_ROW_H_
#define BANDIT_ROUTER_STORE_STATISTICS_ROW_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace bandit::store {

struct StatisticsRow {
  struct Arm {
    std::string name;
    std::vector<double> vector;
    friend bool operator==(const Arm&, const Arm&) = default;
  };

  // What sums are taken about.
  std::optional<double> center;
  // Time slices that start before this (Unix time in ms) are in the total.
  int64_t matured_before = 0;
  // Rewards by outcome number.
  std::vector<uint64_t> outcomes;
  // All vectors have the same length.
  std::vector<Arm> arms;

  friend bool operator==(const StatisticsRow&, const StatisticsRow&) = default;
};

std::string Encode(const StatisticsRow& row);

// Fails with DataLoss if the bytes are damaged, FailedPrecondition if a newer
// version wrote them.
absl::StatusOr<StatisticsRow> Decode(std::string_view bytes);

}  // namespace bandit::store

#endif  // BANDIT_ROUTER_STORE_STATISTICS_ROW_H_

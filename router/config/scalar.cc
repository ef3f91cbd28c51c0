// SPDX-License-Identifier: Apache-2.0
#include "router/config/scalar.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <limits>
#include <system_error>

#include "absl/strings/ascii.h"
#include "fmt/format.h"

namespace bandit::config {
namespace {

struct ByteUnit {
  std::string_view name;
  uint64_t bytes;
};

constexpr ByteUnit kByteUnits[] = {
    {"TiB", uint64_t{1} << 40},
    {"GiB", uint64_t{1} << 30},
    {"MiB", uint64_t{1} << 20},
    {"KiB", uint64_t{1} << 10},
    {"TB", 1'000'000'000'000},
    {"GB", 1'000'000'000},
    {"MB", 1'000'000},
    {"kB", 1'000},
    {"B", 1},
    {"", 1},
};

// The digits and points at the front of `text`.
std::string_view Digits(std::string_view text) {
  return text.substr(
      0, std::min(text.find_first_not_of("0123456789."), text.size()));
}

}  // namespace

std::optional<double> ParseNumber(std::string_view text) {
  // from_chars knows no leading plus, but "inf" and "nan".
  if (!text.empty() && text[0] == '+') {
    text.remove_prefix(1);
    if (!text.empty() && text[0] == '-') return std::nullopt;
  }
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || rest != end || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

std::optional<Whole> ParseWhole(std::string_view text) {
  Whole whole;
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) {
    whole.negative = text[0] == '-';
    text.remove_prefix(1);
  }
  if (text.empty() || !std::all_of(text.begin(), text.end(), [](char c) {
        return absl::ascii_isdigit(static_cast<unsigned char>(c));
      })) {
    return std::nullopt;
  }
  const auto [rest, error] =
      std::from_chars(text.data(), text.data() + text.size(), whole.magnitude);
  if (error == std::errc::result_out_of_range) {
    whole.magnitude = std::numeric_limits<uint64_t>::max();
  }
  return whole;
}

std::optional<absl::Duration> ParseDuration(std::string_view text) {
  // 10,000 years, as google.protobuf.Duration.
  const absl::Duration limit = absl::Seconds(315'576'000'000);
  if (text == "0") return absl::ZeroDuration();
  if (text.empty()) return std::nullopt;
  absl::Duration sum;
  while (!text.empty()) {
    const std::string_view number = Digits(text);
    text.remove_prefix(number.size());
    const size_t unit_size =
        std::min(text.find_first_of("0123456789."), text.size());
    const std::string_view unit = text.substr(0, unit_size);
    text.remove_prefix(unit_size);
    if (number.empty()) return std::nullopt;
    const bool days = unit == "d";
    absl::Duration part;
    if (!absl::ParseDuration(fmt::format("{}{}", number, days ? "h" : unit),
                             &part)) {
      return std::nullopt;
    }
    sum += days ? part * 24 : part;
  }
  if (sum > limit) return std::nullopt;
  return sum;
}

std::optional<uint64_t> ParseBytes(std::string_view text) {
  const std::string_view digits = Digits(text);
  const std::string_view unit = text.substr(digits.size());
  const std::optional<double> number = ParseNumber(digits);
  if (!number.has_value()) return std::nullopt;
  for (const ByteUnit& known : kByteUnits) {
    if (unit != known.name) continue;
    const double bytes = *number * static_cast<double>(known.bytes);
    if (bytes >= 0x1p53 || bytes != std::floor(bytes)) return std::nullopt;
    return static_cast<uint64_t>(bytes);
  }
  return std::nullopt;
}

std::string FormatBytes(uint64_t bytes) {
  for (const ByteUnit& unit : kByteUnits) {
    const bool binary = unit.name.size() == 3;
    if (binary && bytes >= unit.bytes && bytes % unit.bytes == 0) {
      return fmt::format("{}{}", bytes / unit.bytes, unit.name);
    }
  }
  return std::to_string(bytes);
}

google::protobuf::Duration ToProto(absl::Duration duration) {
  google::protobuf::Duration proto;
  absl::Duration rest;
  proto.set_seconds(absl::IDivDuration(duration, absl::Seconds(1), &rest));
  proto.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(rest)));
  return proto;
}

absl::Duration FromProto(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) +
         absl::Nanoseconds(duration.nanos());
}

}  // namespace bandit::config

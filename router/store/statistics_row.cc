// SPDX-License-Identifier: Apache-2.0
#include "router/store/statistics_row.h"

#include <bit>
#include <concepts>

#include "fmt/format.h"
#include "xxhash.h"

namespace bandit::store {
namespace {

constexpr uint8_t kVersion = 1;
constexpr uint8_t kHasCenter = 1;

template <std::unsigned_integral T>
void Put(T value, std::string* out) {
  for (size_t i = 0; i < sizeof(T); ++i) {
    out->push_back(static_cast<char>(value >> (8 * i) & 0xff));
  }
}

void PutDouble(double value, std::string* out) {
  Put(std::bit_cast<uint64_t>(value), out);
}

// Reads from the front; once it has failed, gives zeros.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  template <std::unsigned_integral T>
  T Get() {
    const std::string_view bytes = Take(sizeof(T));
    T value = 0;
    for (size_t i = 0; i < bytes.size(); ++i) {
      value |= static_cast<T>(static_cast<T>(static_cast<uint8_t>(bytes[i]))
                              << (8 * i));
    }
    return value;
  }

  double GetDouble() { return std::bit_cast<double>(Get<uint64_t>()); }

  std::string_view Take(size_t size) {
    if (size > rest_.size()) {
      ok_ = false;
      return {};
    }
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  size_t left() const { return rest_.size(); }
  bool ok() const { return ok_; }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

absl::Status Damaged() {
  return absl::DataLossError("the bytes of a statistics row are damaged");
}

}  // namespace

std::string Encode(const StatisticsRow& row) {
  const size_t width = row.arms.empty() ? 0 : row.arms[0].vector.size();
  std::string out;
  out.reserve(64 + row.arms.size() * (width * 8 + 32));
  Put(kVersion, &out);
  Put(row.center ? kHasCenter : uint8_t{0}, &out);
  PutDouble(row.center.value_or(0), &out);
  Put(static_cast<uint64_t>(row.matured_before), &out);
  Put(static_cast<uint16_t>(row.outcomes.size()), &out);
  for (const uint64_t count : row.outcomes) Put(count, &out);
  Put(static_cast<uint32_t>(width), &out);
  Put(static_cast<uint16_t>(row.arms.size()), &out);
  for (const StatisticsRow::Arm& arm : row.arms) {
    Put(static_cast<uint16_t>(arm.name.size()), &out);
    out += arm.name;
    for (const double value : arm.vector) PutDouble(value, &out);
  }
  Put(static_cast<uint64_t>(XXH3_64bits(out.data(), out.size())), &out);
  return out;
}

absl::StatusOr<StatisticsRow> Decode(std::string_view bytes) {
  if (bytes.size() < sizeof(uint64_t) + 1) return Damaged();
  const std::string_view body = bytes.substr(0, bytes.size() - 8);
  Reader tail(bytes.substr(body.size()));
  if (tail.Get<uint64_t>() != XXH3_64bits(body.data(), body.size())) {
    return Damaged();
  }
  Reader in(body);
  if (const auto version = in.Get<uint8_t>(); version != kVersion) {
    return absl::FailedPreconditionError(fmt::format(
        "a statistics row has version {}, this router knows {}: run the newer "
        "router",
        version, kVersion));
  }
  StatisticsRow row;
  const bool has_center = (in.Get<uint8_t>() & kHasCenter) != 0;
  const double center = in.GetDouble();
  if (has_center) row.center = center;
  row.matured_before = static_cast<int64_t>(in.Get<uint64_t>());
  const size_t outcomes = in.Get<uint16_t>();
  for (size_t i = 0; i < outcomes && in.ok(); ++i) {
    row.outcomes.push_back(in.Get<uint64_t>());
  }
  const size_t width = in.Get<uint32_t>();
  const size_t arms = in.Get<uint16_t>();
  for (size_t i = 0; i < arms && in.ok(); ++i) {
    StatisticsRow::Arm& arm = row.arms.emplace_back();
    arm.name = in.Take(in.Get<uint16_t>());
    if (width > in.left() / sizeof(double)) return Damaged();
    arm.vector.reserve(width);
    for (size_t k = 0; k < width; ++k) arm.vector.push_back(in.GetDouble());
  }
  if (!in.ok() || in.left() != 0) return Damaged();
  return row;
}

}  // namespace bandit::store

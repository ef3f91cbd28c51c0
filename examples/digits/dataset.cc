// SPDX-License-Identifier: Apache-2.0
#include "examples/digits/dataset.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <numeric>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "examples/digits/random.h"
#include "fmt/format.h"

namespace bandit::digits {
namespace {

struct CloseGz {
  void operator()(gzFile file) const { gzclose(file); }
};
using GzFile = std::unique_ptr<gzFile_s, CloseGz>;

using Row = std::array<int, kPixels + 1>;

// Parses "0,5,...,9": 64 pixels and a label.
absl::StatusOr<Row> ParseRow(std::string_view line) {
  Row row;
  const char* at = line.data();
  const char* const end = at + line.size();
  for (size_t column = 0; column < row.size(); ++column) {
    if (column > 0) {
      if (at == end || *at != ',') {
        return absl::InvalidArgumentError(
            fmt::format("{} values, expected {} (64 pixels and a digit)",
                        column, row.size()));
      }
      ++at;
    }
    const auto [next, error] = std::from_chars(at, end, row[column]);
    const int limit =
        column < kPixels ? static_cast<int>(kMaxPixel) : kClasses - 1;
    if (error != std::errc() || row[column] < 0 || row[column] > limit) {
      return absl::InvalidArgumentError(fmt::format(
          "value {} is no whole number in [0, {}]", column + 1, limit));
    }
    at = next;
  }
  if (at != end) {
    return absl::InvalidArgumentError(
        fmt::format("more than {} values", row.size()));
  }
  return row;
}

Samples Pick(const Samples& samples, const int* begin, const int* end) {
  Samples picked;
  picked.images.resize(end - begin, kPixels);
  picked.labels.reserve(end - begin);
  for (const int* i = begin; i != end; ++i) {
    picked.images.row(i - begin) = samples.images.row(*i);
    picked.labels.push_back(samples.labels[*i]);
  }
  return picked;
}

}  // namespace

absl::StatusOr<Samples> LoadDigits(const std::string& path) {
  const GzFile file(gzopen(path.c_str(), "rb"));
  if (file == nullptr) {
    return absl::NotFoundError(fmt::format("cannot open {}", path));
  }
  std::vector<Row> rows;
  std::array<char, 1024> buffer;
  while (gzgets(file.get(), buffer.data(), buffer.size()) != nullptr) {
    std::string_view line = buffer.data();
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) {
      line.remove_suffix(1);
    }
    absl::StatusOr<Row> row = ParseRow(line);
    if (!row.ok()) {
      const absl::string_view reason = row.status().message();
      return absl::InvalidArgumentError(
          fmt::format("{}:{}: {}", path, rows.size() + 1,
                      std::string_view(reason.data(), reason.size())));
    }
    rows.push_back(*row);
  }
  int error = Z_OK;
  const char* const reason = gzerror(file.get(), &error);
  if (error != Z_OK) {
    return absl::DataLossError(fmt::format("{}: {}", path, reason));
  }
  if (rows.empty()) {
    return absl::InvalidArgumentError(fmt::format("{}: no samples", path));
  }

  Samples samples;
  samples.images.resize(static_cast<Eigen::Index>(rows.size()), kPixels);
  for (size_t i = 0; i < rows.size(); ++i) {
    for (int pixel = 0; pixel < kPixels; ++pixel) {
      samples.images(static_cast<Eigen::Index>(i), pixel) =
          static_cast<float>(rows[i][pixel]);
    }
    samples.labels.push_back(rows[i][kPixels]);
  }
  return samples;
}

Split SplitDigits(const Samples& samples, uint64_t seed) {
  std::vector<int> order(samples.size());
  std::iota(order.begin(), order.end(), 0);
  Random random(seed);
  for (size_t i = order.size(); i > 1; --i) {
    std::swap(order[i - 1], order[random.Below(i)]);
  }
  const int* const begin = order.data();
  const int* const middle = begin + order.size() * 2 / 3;
  return {.train = Pick(samples, begin, middle),
          .held_out = Pick(samples, middle, begin + order.size())};
}

}  // namespace bandit::digits

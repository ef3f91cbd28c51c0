// SPDX-License-Identifier: Apache-2.0
#include "bandit/client/hashing.h"

#define XXH_INLINE_ALL  // No library that the client's users must link.
#include <xxhash.h>

#include <string>

namespace bandit::client {
namespace {

void AppendField(std::string_view field, std::string* bytes) {
  for (int shift = 0; shift < 32; shift += 8) {
    bytes->push_back(static_cast<char>(field.size() >> shift));
  }
  bytes->append(field);
}

}  // namespace

uint64_t HashUnit(Purpose purpose, std::string_view salt,
                  std::string_view unit) {
  std::string bytes;
  bytes.reserve(9 + salt.size() + unit.size());
  bytes.push_back(static_cast<char>(purpose));
  AppendField(salt, &bytes);
  AppendField(unit, &bytes);
  return XXH3_64bits(bytes.data(), bytes.size());
}

double PlaceOf(Purpose purpose, std::string_view salt, std::string_view unit) {
  return static_cast<double>(HashUnit(purpose, salt, unit) >> 11) * 0x1p-53;
}

uint32_t ExperimentId(std::string_view name) {
  return static_cast<uint32_t>(XXH3_64bits(name.data(), name.size()));
}

}  // namespace bandit::client

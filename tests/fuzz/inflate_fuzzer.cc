// SPDX-License-Identifier: Apache-2.0
// Inflate holds its limit whatever it is given, and gives back what was
// compressed. The first two bytes choose encoding and limit.
#include <zlib.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "router/experiment/model_name.h"
#include "tests/fuzz/check.h"

namespace {

using bandit::experiment::Inflate;

std::string Compressed(std::string_view plain) {
  uLongf size = compressBound(plain.size());
  std::string out(size, '\0');
  FUZZ_CHECK(compress(reinterpret_cast<Bytef*>(out.data()), &size,
                      reinterpret_cast<const Bytef*>(plain.data()),
                      plain.size()) == Z_OK);
  out.resize(size);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  constexpr std::string_view kEncodings[] = {"gzip", "deflate", "identity",
                                             "br"};
  const std::string_view encoding = kEncodings[data[0] % 4];
  const size_t limit = size_t{data[1]} * 64;
  const std::string_view payload(reinterpret_cast<const char*>(data + 2),
                                 size - 2);
  const auto inflated = Inflate(encoding, payload, limit);
  FUZZ_CHECK(!inflated.ok() || inflated->size() <= limit);
  // The limit decides between a result and ResourceExhausted, nothing else.
  const auto larger = Inflate(encoding, payload, limit + 1);
  if (inflated.ok()) FUZZ_CHECK(larger.ok() && *larger == *inflated);

  const std::string compressed = Compressed(payload);
  const auto plain = Inflate("deflate", compressed, payload.size());
  FUZZ_CHECK(plain.ok() && *plain == payload);
  if (!payload.empty()) {
    FUZZ_CHECK(absl::IsResourceExhausted(
        Inflate("deflate", compressed, payload.size() - 1).status()));
  }
  return 0;
}

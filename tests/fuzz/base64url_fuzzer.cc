// SPDX-License-Identifier: Apache-2.0
// base64url against libsodium's, which is strict, too: both read the same
// texts, and write the same.
#include <sodium.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "router/experiment/base64url.h"
#include "tests/fuzz/check.h"

namespace {

constexpr int kVariant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace experiment = bandit::experiment;
  std::string text(experiment::Base64UrlSize(size), '\0');
  experiment::Base64UrlEncode({data, size}, text.data());
  std::string theirs(sodium_base64_encoded_len(size, kVariant), '\0');
  sodium_bin2base64(theirs.data(), theirs.size(), data, size, kVariant);
  theirs.pop_back();  // Its NUL.
  FUZZ_CHECK(text == theirs);

  const std::string_view any(reinterpret_cast<const char*>(data), size);
  std::vector<unsigned char> bytes(size * 3 / 4 + 1);
  std::vector<unsigned char> sodium(size * 3 / 4 + 1);
  const bool read = experiment::Base64UrlDecode(any, bytes.data());
  // libsodium 1.0.18 reads some bytes above 127 as `-`.
  if (std::any_of(any.begin(), any.end(),
                  [](char c) { return (c & 0x80) != 0; })) {
    FUZZ_CHECK(!read);
    return 0;
  }
  size_t length = 0;
  const char* end = nullptr;
  const bool sodium_read =
      sodium_base642bin(sodium.data(), sodium.size(), any.data(), any.size(),
                        nullptr, &length, &end, kVariant) == 0 &&
      end == any.data() + any.size();
  FUZZ_CHECK(read == sodium_read);
  if (!read) return 0;
  FUZZ_CHECK(length == size * 3 / 4);
  bytes.resize(length);
  sodium.resize(length);
  FUZZ_CHECK(bytes == sodium);
  return 0;
}

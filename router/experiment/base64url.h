// SPDX-License-Identifier: Apache-2.0
// base64url (RFC 4648, section 5) without padding, strict and without
// allocation.
//
// Abseil's decoder forgives padding, spaces and stray bits, so that many
// strings would stand for one token; here exactly one does.
#ifndef BANDIT_ROUTER_EXPERIMENT_BASE64URL_H_
#define BANDIT_ROUTER_EXPERIMENT_BASE64URL_H_

#include <cstddef>
#include <string_view>

#include "absl/types/span.h"

namespace bandit::experiment {

constexpr size_t Base64UrlSize(size_t bytes) { return (bytes * 4 + 2) / 3; }

// Writes Base64UrlSize(bytes.size()) characters to `out`.
void Base64UrlEncode(absl::Span<const unsigned char> bytes, char* out);

// Writes text.size() * 3 / 4 bytes to `out`. False, with `out` unspecified, if
// `text` is not what Base64UrlEncode gives for some bytes.
bool Base64UrlDecode(std::string_view text, unsigned char* out);

}  // namespace bandit::experiment

#endif  // BANDIT_ROUTER_EXPERIMENT_BASE64URL_H_

// SPDX-License-Identifier: Apache-2.0
// Text from outside as UTF-8. Protobuf and JSON take no other: a message with
// half a letter in it cannot be read by who gets it.
#ifndef BANDIT_ROUTER_TEXT_UTF8_H_
#define BANDIT_ROUTER_TEXT_UTF8_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace bandit::text {

// U+FFFD.
inline constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// Bytes of the UTF-8 character that `text` begins with; 0: it begins with
// none. Overlong forms, surrogates and what is beyond U+10FFFF are none.
// REQUIRES: `text` is not empty.
size_t Utf8Size(std::string_view text);

bool IsUtf8(std::string_view text);

// The first `most` bytes of `text`, or fewer, so that no letter is cut.
std::string_view Utf8Prefix(std::string_view text, size_t most);

// `text` with each byte that is no UTF-8 replaced.
std::string ValidUtf8(std::string_view text);

}  // namespace bandit::text

#endif  // BANDIT_ROUTER_TEXT_UTF8_H_

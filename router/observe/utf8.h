// SPDX-License-Identifier: Apache-2.0
// Text from outside, made sound: a header's value can be any bytes.
#ifndef BANDIT_ROUTER_OBSERVE_UTF8_H_
#define BANDIT_ROUTER_OBSERVE_UTF8_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace bandit::observe {

// U+FFFD.
inline constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// Bytes of the UTF-8 character that `text` begins with; 0: it begins with
// none. Overlong forms, surrogates and what is beyond U+10FFFF are none.
// REQUIRES: `text` is not empty.
size_t Utf8Size(std::string_view text);

// `text` with each byte that is no UTF-8 replaced.
std::string ValidUtf8(std::string_view text);

}  // namespace bandit::observe

#endif  // BANDIT_ROUTER_OBSERVE_UTF8_H_

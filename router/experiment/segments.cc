// SPDX-License-Identifier: Apache-2.0
#include "router/experiment/segments.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>

namespace bandit::experiment {

uint32_t EncodeSegments(absl::Span<const Segment> segments,
                        http2::Headers headers) {
  uint32_t code = 0;
  uint32_t scale = 1;
  for (const Segment& segment : segments) {
    const std::string_view value = http2::Find(headers, segment.key);
    const auto found =
        std::find(segment.values.begin(), segment.values.end(), value);
    if (found != segment.values.end()) {
      code += scale * static_cast<uint32_t>(found - segment.values.begin() + 1);
    }
    scale *= segment.size();
  }
  return code;
}

float ReadCovariate(const Covariate& covariate, http2::Headers headers) {
  const std::string_view text = http2::Find(headers, covariate.key);
  float value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() ||
      end != text.data() + text.size() || !std::isfinite(value)) {
    return covariate.missing;
  }
  return value;
}

}  // namespace bandit::experiment

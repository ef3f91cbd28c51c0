// SPDX-License-Identifier: Apache-2.0
// Segments of the traffic that reports look at one by one, and the covariate
// that they adjust for: what is read of a request's metadata when it is decided
// and travels in the token, for a reward comes without its request.
#ifndef BANDIT_ROUTER_EXPERIMENT_SEGMENTS_H_
#define BANDIT_ROUTER_EXPERIMENT_SEGMENTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "router/http2/header.h"

namespace bandit::experiment {

struct Segment {
  std::string name;
  std::string key;  // Metadata.
  // Those listed; whatever else a request has is "other".
  std::vector<std::string> values;

  // The values' numbers, 0 for other, are below this.
  uint32_t size() const { return static_cast<uint32_t>(values.size()) + 1; }
};

// One number for a request's values: the first segment's plus its size times
// the second's, and so on. 0: other in all.
// REQUIRES: the product of the sizes fits 32 bits.
// Cost: O(segments * (headers + values)), no allocation.
uint32_t EncodeSegments(absl::Span<const Segment> segments,
                        http2::Headers headers);

struct Covariate {
  std::string key;  // Metadata.
  // Of a request whose value is absent or no finite number that a float holds.
  float missing = 0;
};

float ReadCovariate(const Covariate& covariate, http2::Headers headers);

}  // namespace bandit::experiment

#endif  // BANDIT_ROUTER_EXPERIMENT_SEGMENTS_H_

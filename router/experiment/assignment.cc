// SPDX-License-Identifier: Apache-2.0
#include "router/experiment/assignment.h"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

namespace bandit::experiment {
namespace {

// Covers the salts and units that people use without allocation.
constexpr size_t kStackBytes = 256;

// XXH3 of the bytes that `write` puts where it is told.
template <typename Write>
uint64_t HashOf(size_t size, const Write& write) {
  std::array<char, kStackBytes> stack;
  std::string heap;
  char* bytes = stack.data();
  if (size > stack.size()) {
    heap.resize(size);
    bytes = heap.data();
  }
  write(bytes);
  return XXH3_64bits(bytes, size);
}

// Little endian.
template <size_t kSize>
char* PutInteger(char* out, uint64_t value) {
  for (size_t i = 0; i < kSize; ++i) {
    out[i] = static_cast<char>(value >> (8 * i));
  }
  return out + kSize;
}

char* PutField(char* out, std::string_view field) {
  out = PutInteger<4>(out, field.size());
  // Not memcpy(out, nullptr, 0).
  if (!field.empty()) std::memcpy(out, field.data(), field.size());
  return out + field.size();
}

// Draws by the unit, or by chance for a request that is its own.
void DrawArm(const Experiment& experiment, absl::Span<const double> p,
             std::mt19937_64& random, Decision* decision) {
  const size_t arm =
      decision->unit == decision->id
          ? Draw(p, static_cast<double>(random() >> 11) * 0x1p-53)
          : DrawSticky(experiment.arms, p, decision->unit);
  decision->arm = static_cast<uint32_t>(arm);
  // p may be a rounding error above 1.
  decision->propensity = std::min(p[arm], 1.0);
}

}  // namespace

uint64_t HashUnit(Purpose purpose, std::string_view salt,
                  std::string_view unit) {
  return HashOf(1 + 4 + salt.size() + 4 + unit.size(), [&](char* out) {
    out = PutInteger<1>(out, static_cast<uint8_t>(purpose));
    out = PutField(out, salt);
    PutField(out, unit);
  });
}

double ScoreOf(uint64_t unit_hash, std::string_view arm) {
  const uint64_t hash = HashOf(8 + arm.size(), [&](char* out) {
    out = PutInteger<8>(out, unit_hash);
    std::memcpy(out, arm.data(), arm.size());
  });
  // 52 bits and a half, because 53 and a half would round up to 1.
  const double u = (static_cast<double>(hash >> 12) + 0.5) * 0x1p-52;
  return -std::log(u);
}

size_t DrawSticky(absl::Span<const Arm> arms, absl::Span<const double> p,
                  uint64_t unit_hash) {
  assert(arms.size() == p.size());
  size_t best = p.size();
  double best_score = std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < p.size(); ++i) {
    if (!(p[i] > 0)) continue;
    const double score = ScoreOf(unit_hash, arms[i].name) / p[i];
    // The first possible arm is taken even if its score overflowed.
    if (best == p.size() || score < best_score) {
      best = i;
      best_score = score;
    }
  }
  assert(best < p.size());
  return best;
}

size_t Draw(absl::Span<const double> p, double uniform) {
  size_t last = p.size();
  double cumulative = 0;
  for (size_t i = 0; i < p.size(); ++i) {
    if (!(p[i] > 0)) continue;
    last = i;
    cumulative += p[i];
    if (uniform < cumulative) return i;
  }
  // The sum may lack a rounding error of 1.
  assert(last < p.size());
  return last;
}

void Assign(const Experiment& experiment, const policies::Model& model,
            const Eligible& eligible, http2::Headers headers, int64_t time_ms,
            std::mt19937_64& random, Assignment* assignment) {
  assert((eligible.arms & policies::AllArms(experiment.arms.size())) != 0);
  Decision& decision = assignment->decision;
  // The model sees the very floats that the token will carry.
  decision.features.resize(experiment.features.dimension());
  assignment->missing_features =
      experiment.features.Encode(headers, absl::MakeSpan(decision.features));

  decision.segments = EncodeSegments(experiment.segments, headers);
  decision.covariate = experiment.covariate.has_value()
                           ? ReadCovariate(*experiment.covariate, headers)
                           : 0;

  const auto p = absl::MakeSpan(assignment->p.data(), experiment.arms.size());
  model.Probabilities(decision.features, eligible.arms, p);
  ApplyCaps(eligible, p);

  decision.experiment = experiment.id;
  decision.epoch = experiment.epoch;
  decision.time_ms = time_ms;
  decision.id = random();
  std::string_view unit;
  if (!experiment.unit_key.empty()) {
    unit = http2::Find(headers, experiment.unit_key);
  }
  decision.unit = unit.empty() ? decision.id
                               : HashUnit(Purpose::kArm, experiment.salt, unit);
  DrawArm(experiment, p, random, &decision);
}

bool Reassign(const Experiment& experiment, const policies::Model& model,
              const Eligible& eligible, std::mt19937_64& random,
              Assignment* assignment) {
  Decision& decision = assignment->decision;
  const policies::ArmSet others = eligible.arms &
                                  policies::AllArms(experiment.arms.size()) &
                                  ~(policies::ArmSet{1} << decision.arm);
  if (others == 0) return false;
  const auto p = absl::MakeSpan(assignment->p.data(), experiment.arms.size());
  double sum = 0;
  for (size_t i = 0; i < p.size(); ++i) {
    if (((others >> i) & 1) == 0) p[i] = 0;
    sum += p[i];
  }
  if (sum > 0) {
    for (double& share : p) share /= sum;
  } else {
    model.Probabilities(decision.features, others, p);
  }
  ApplyCaps({others, eligible.caps}, p);
  DrawArm(experiment, p, random, &decision);
  return true;
}

}  // namespace bandit::experiment

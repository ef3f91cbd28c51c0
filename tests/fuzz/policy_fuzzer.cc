// SPDX-License-Identifier: Apache-2.0
// Every policy, with any statistics, arms and features: Prepare refuses with
// InvalidArgument or gives a model, and every model gives a distribution.
//
// Input: policy, arms, dimension, reward kind, mode, floor (a byte each); 8
// bytes of eligible arms; then statistics, either as raw doubles (any bits) or
// as observations of a byte each; then features as raw floats. What is missing
// is 0.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "policies/policy.h"
#include "policies/statistics.h"

namespace bandit::policies {
namespace {

class Bytes {
 public:
  Bytes(const uint8_t* data, size_t size) : data_(data), left_(size) {}

  bool empty() const { return left_ == 0; }
  template <typename T>
  T Take() {
    T value{};
    const size_t n = left_ < sizeof value ? left_ : sizeof value;
    if (n > 0) std::memcpy(&value, data_, n);
    data_ += n;
    left_ -= n;
    return value;
  }

 private:
  const uint8_t* data_;
  size_t left_;
};

void Require(bool holds, const char* what) {
  if (holds) return;
  fprintf(stderr, "contract broken: %s\n", what);
  abort();
}

struct Case {
  StatisticsLayout layout;
  std::vector<std::vector<double>> vectors;
  std::vector<std::vector<float>> features;
  std::vector<NewObservation> fresh;

  std::vector<ArmStatistics> view() const {
    std::vector<ArmStatistics> view;
    for (const auto& v : vectors) view.emplace_back(layout, 0, v);
    return view;
  }
};

void CheckModel(const Model& model, const Problem& problem, ArmSet eligible,
                absl::Span<const float> x) {
  std::vector<double> p(problem.arms, -1);
  model.Probabilities(x, eligible, absl::MakeSpan(p));
  double sum = 0;
  for (size_t i = 0; i < p.size(); ++i) {
    if (Contains(eligible, i)) {
      Require(p[i] >= problem.floor, "an eligible arm below the floor");
    } else {
      Require(p[i] == 0, "an ineligible arm with a probability");
    }
    sum += p[i];
  }
  const bool any = (eligible & AllArms(p.size())) != 0;
  Require(std::abs(sum - (any ? 1 : 0)) <= 1e-12, "the sum is not 1");
}

// Observations of a byte each, in two halves, so that the second model is
// prepared from the first.
void Observe(Bytes& bytes, size_t n, Case* c) {
  c->fresh.clear();
  c->features.clear();
  c->features.reserve(n);  // The observations borrow their features.
  for (size_t k = 0; k < n; ++k) {
    const uint8_t byte = bytes.Take<uint8_t>();
    std::vector<float>& x = c->features.emplace_back(c->layout.dimension, 1.0f);
    for (size_t i = 1; i < x.size(); ++i) {
      x[i] = static_cast<float>((byte * (2 * i + 1)) % 17) - 8;
    }
    const size_t arm = byte % c->vectors.size();
    const Observation o{.reward = static_cast<double>(byte >> 7),
                        .propensity = 0.5,
                        .features = x};
    Accumulate(c->layout, 0, o, absl::MakeSpan(c->vectors[arm]));
    c->fresh.push_back({arm, o});
  }
}

void Fuzz(Bytes bytes) {
  const auto all = AllPolicies();
  const PolicyInfo* const info = all[bytes.Take<uint8_t>() % all.size()];
  Problem problem;
  // Few, for speed; the contract test has 64.
  problem.arms = 1 + bytes.Take<uint8_t>() % 9;
  problem.dimension = 1 + bytes.Take<uint8_t>() % 9;
  problem.reward = bytes.Take<uint8_t>() % 2 == 0 ? RewardKind::kBinary
                                                  : RewardKind::kContinuous;
  const bool raw = bytes.Take<uint8_t>() % 2 == 0;
  problem.floor =
      bytes.Take<uint8_t>() / 255.0 / static_cast<double>(problem.arms);
  const ArmSet eligible = bytes.Take<uint64_t>();

  Case c{.layout = {problem.dimension},
         .vectors = {},
         .features = {},
         .fresh = {}};
  c.vectors.assign(problem.arms, std::vector<double>(c.layout.size()));
  const auto policy = MakePolicy(info->name, problem, {}).value();
  std::shared_ptr<const Model> model;
  for (int round = 0; round < (raw ? 1 : 3); ++round) {
    if (raw) {
      for (auto& vector : c.vectors) {
        for (double& v : vector) {
          if (!bytes.empty()) v = bytes.Take<double>();
        }
      }
    } else {
      Observe(bytes, 20, &c);
    }
    const std::vector<ArmStatistics> view = c.view();
    auto prepared = policy->Prepare(
        {.arms = view, .previous = model.get(), .fresh = c.fresh});
    if (!prepared.ok()) {
      Require(raw, "statistics of real observations refused");
      Require(prepared.status().code() == absl::StatusCode::kInvalidArgument,
              "refused with another code than InvalidArgument");
      return;
    }
    model = *std::move(prepared);
    std::vector<float> x(problem.dimension, 1);
    CheckModel(*model, problem, eligible, x);
    CheckModel(*model, problem, ~ArmSet{0}, x);
    for (float& v : x) v = bytes.Take<float>();
    CheckModel(*model, problem, eligible, x);
  }
}

}  // namespace
}  // namespace bandit::policies

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  bandit::policies::Fuzz({data, size});
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
// The model variants of the demo: the arms that the router chooses between.
#ifndef BANDIT_EXAMPLES_DIGITS_VARIANTS_H_
#define BANDIT_EXAMPLES_DIGITS_VARIANTS_H_

#include <memory>
#include <string_view>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "examples/digits/classifier.h"
#include "examples/digits/dataset.h"

namespace bandit::digits {

struct Variant {
  std::string_view name;
  std::string_view summary;
  // How long the simulated accelerator takes beside the model's own compute,
  // which is microseconds on 8x8 pixels: see ModelService.
  absl::Duration accelerator;
  // Price of 1,000 requests, in arbitrary units. Shown, not optimized.
  double cost;
  // Whether it is trained on photographs instead of scans.
  bool camera;
  std::unique_ptr<Classifier> (*train)(const Samples& samples);
};

// From the cheapest to the most costly.
absl::Span<const Variant> AllVariants();

// nullptr if there is none of this name.
const Variant* FindVariant(std::string_view name);

// Trains the variant on `train` (scans; photographed here if it needs them).
std::unique_ptr<Classifier> TrainVariant(const Variant& variant,
                                         const Samples& train);

// `samples` as the demo's camera sees them: with a fixed seed that the training
// pictures do not share.
Samples HeldOutPhotographs(const Samples& samples);

}  // namespace bandit::digits

#endif  // BANDIT_EXAMPLES_DIGITS_VARIANTS_H_

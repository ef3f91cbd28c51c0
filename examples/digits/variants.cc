// SPDX-License-Identifier: Apache-2.0
#include "examples/digits/variants.h"

#include <array>

#include "examples/digits/camera.h"

namespace bandit::digits {
namespace {

constexpr uint64_t kTrainingCameraSeed = 1;
constexpr uint64_t kHeldOutCameraSeed = 2;

std::unique_ptr<Classifier> TrainCoarse(const Samples& train) {
  return TrainLogistic(train, /*block=*/4);
}
std::unique_ptr<Classifier> TrainPixels(const Samples& train) {
  return TrainLogistic(train, /*block=*/1);
}
std::unique_ptr<Classifier> TrainNeighbours(const Samples& train) {
  return TrainNearestNeighbours(train, /*k=*/3);
}

}  // namespace

absl::Span<const Variant> AllVariants() {
  static constexpr std::array<Variant, 4> kVariants = {{
      {.name = "coarse",
       .summary = "logistic regression on four quarter means",
       .accelerator = absl::Milliseconds(1),
       .cost = 0.1,
       .camera = false,
       .train = TrainCoarse},
      {.name = "centroid",
       .summary = "nearest class mean",
       .accelerator = absl::Milliseconds(2),
       .cost = 0.2,
       .camera = false,
       .train = TrainCentroid},
      {.name = "camera",
       .summary = "logistic regression on 64 pixels, trained on photographs",
       .accelerator = absl::Milliseconds(5),
       .cost = 1,
       .camera = true,
       .train = TrainPixels},
      {.name = "neighbours",
       .summary = "3 nearest neighbours among 1,198 scans",
       .accelerator = absl::Milliseconds(12),
       .cost = 4,
       .camera = false,
       .train = TrainNeighbours},
  }};
  return kVariants;
}

const Variant* FindVariant(std::string_view name) {
  for (const Variant& variant : AllVariants()) {
    if (variant.name == name) return &variant;
  }
  return nullptr;
}

std::unique_ptr<Classifier> TrainVariant(const Variant& variant,
                                         const Samples& train) {
  if (!variant.camera) return variant.train(train);
  return variant.train({.images = Photograph(train.images, kTrainingCameraSeed),
                        .labels = train.labels});
}

Samples HeldOutPhotographs(const Samples& samples) {
  return {.images = Photograph(samples.images, kHeldOutCameraSeed),
          .labels = samples.labels};
}

}  // namespace bandit::digits

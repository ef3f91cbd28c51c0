// SPDX-License-Identifier: Apache-2.0
// The classifiers against pictures that can be judged by eye, and the variants'
// accuracy on held-out samples, which the demo's story rests on.
#include "examples/digits/classifier.h"

#include <map>
#include <string>
#include <vector>

#include "examples/digits/variants.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bandit::digits {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::Le;

// Ten classes that any classifier must tell apart: class c is a single bright
// pixel, at c. Three samples of each.
Samples OnePixelEach() {
  Samples samples;
  samples.images = Images::Zero(30, kPixels);
  for (int i = 0; i < 30; ++i) {
    samples.images(i, i % 10) = kMaxPixel - static_cast<float>(i / 10);
    samples.labels.push_back(i % 10);
  }
  return samples;
}

TEST(ClassifierTest, EveryFamilyLearnsWhatIsPlain) {
  const Samples samples = OnePixelEach();
  EXPECT_EQ(Accuracy(*TrainCentroid(samples), samples), 1);
  EXPECT_EQ(Accuracy(*TrainLogistic(samples, 1), samples), 1);
  EXPECT_EQ(Accuracy(*TrainNearestNeighbours(samples, 3), samples), 1);
}

// One quarter lit, four classes of them: all that block means can see.
TEST(ClassifierTest, CoarseFeaturesSeeQuartersAndNoPixels) {
  Samples quarters;
  quarters.images = Images::Zero(20, kPixels);
  for (int i = 0; i < 20; ++i) {
    const int quarter = i % 4;
    // Any pixel of the quarter will do.
    const int row = quarter / 2 * 4 + (i / 4) % 4;
    const int column = quarter % 2 * 4 + (i / 4) % 3;
    quarters.images(i, row * kSide + column) = kMaxPixel;
    quarters.labels.push_back(quarter);
  }
  EXPECT_EQ(Accuracy(*TrainLogistic(quarters, 4), quarters), 1);

  // All ten pixels of OnePixelEach lie in two quarters.
  const Samples pixels = OnePixelEach();
  EXPECT_LE(Accuracy(*TrainLogistic(pixels, 4), pixels), 0.5);
}

TEST(ClassifierTest, TheNearerOfTwoNeighboursWins) {
  Samples train = OnePixelEach();
  const auto classifier = TrainNearestNeighbours(train, 2);
  Images image = Images::Zero(1, kPixels);
  image(0, 3) = kMaxPixel;
  image(0, 4) = kMaxPixel - 4;
  EXPECT_THAT(Classify(classifier->Score(image)), ElementsAre(3));
}

TEST(ClassifierTest, ScoresOfAnImageSumToOneAndDoNotDependOnTheBatch) {
  const Split split = SplitDigits(*LoadDigits(DIGITS_DATA));
  for (const Variant& variant : AllVariants()) {
    const auto classifier = TrainVariant(variant, split.train);
    const Images batch = split.held_out.images.topRows(20);
    const Scores scores = classifier->Score(batch);
    ASSERT_EQ(scores.rows(), 20);
    for (int i = 0; i < 20; ++i) {
      EXPECT_NEAR(scores.row(i).sum(), 1, 1e-5) << variant.name;
      EXPECT_GE(scores.row(i).minCoeff(), 0) << variant.name;
      const Scores alone = classifier->Score(batch.middleRows(i, 1));
      EXPECT_TRUE(alone.isApprox(scores.middleRows(i, 1), 1e-4F))
          << variant.name << " " << i;
    }
  }
}

TEST(ClassifierTest, ExtremePixelsGiveFiniteScores) {
  const Split split = SplitDigits(*LoadDigits(DIGITS_DATA));
  Images absurd(2, kPixels);
  absurd.row(0).setConstant(1e6F);
  absurd.row(1).setConstant(-1e6F);
  for (const Variant& variant : AllVariants()) {
    const Scores scores = TrainVariant(variant, split.train)->Score(absurd);
    EXPECT_TRUE(scores.allFinite()) << variant.name;
  }
}

TEST(VariantsTest, AreFoundByName) {
  for (const Variant& variant : AllVariants()) {
    EXPECT_EQ(FindVariant(variant.name), &variant);
  }
  EXPECT_EQ(FindVariant("oracle"), nullptr);
}

struct Measured {
  double scanner = 0;
  double camera = 0;
};

std::map<std::string_view, Measured> MeasureAll() {
  const Split split = SplitDigits(*LoadDigits(DIGITS_DATA));
  const Samples photographs = HeldOutPhotographs(split.held_out);
  std::map<std::string_view, Measured> measured;
  for (const Variant& variant : AllVariants()) {
    const auto classifier = TrainVariant(variant, split.train);
    measured[variant.name] = {Accuracy(*classifier, split.held_out),
                              Accuracy(*classifier, photographs)};
  }
  return measured;
}

// The ranges leave room for the compiler's rounding, not for another model.
TEST(VariantsTest, HaveTheStatedAccuracyOnHeldOutScans) {
  auto measured = MeasureAll();
  EXPECT_THAT(measured["coarse"].scanner, AllOf(Ge(0.45), Le(0.60)));
  EXPECT_THAT(measured["centroid"].scanner, AllOf(Ge(0.86), Le(0.92)));
  EXPECT_THAT(measured["neighbours"].scanner, AllOf(Ge(0.97), Le(1.0)));
}

// What linucb finds out: no variant is best for all requests.
TEST(VariantsTest, TheCameraVariantWinsOnCameraImagesAndOnlyThere) {
  auto measured = MeasureAll();
  EXPECT_GE(measured["camera"].camera, 0.91);
  for (const std::string_view other : {"coarse", "centroid", "neighbours"}) {
    EXPECT_GT(measured["camera"].camera, measured[other].camera + 0.5) << other;
    EXPECT_LT(measured["camera"].scanner, measured[other].scanner - 0.3)
        << other;
  }
}

}  // namespace
}  // namespace bandit::digits

// SPDX-License-Identifier: Apache-2.0
#include "examples/digits/camera.h"

#include "gtest/gtest.h"

namespace bandit::digits {
namespace {

TEST(CameraTest, MakesInkLightAndPaperDark) {
  Images scans(2, kPixels);
  scans.row(0).setConstant(0);
  scans.row(1).setConstant(kMaxPixel);
  const Images photographs = Photograph(scans, 1);
  // The light is at least half everywhere.
  EXPECT_GT(photographs.row(0).mean(), kMaxPixel / 2);
  EXPECT_LT(photographs.row(1).mean(), 1);
}

TEST(CameraTest, KeepsPixelsInRange) {
  const Images photographs = Photograph(LoadDigits(DIGITS_DATA)->images, 1);
  EXPECT_GE(photographs.minCoeff(), 0);
  EXPECT_LE(photographs.maxCoeff(), kMaxPixel);
}

TEST(CameraTest, IsFixedByItsSeed) {
  const Images scans = LoadDigits(DIGITS_DATA)->images.topRows(10);
  EXPECT_EQ(Photograph(scans, 1), Photograph(scans, 1));
  EXPECT_NE(Photograph(scans, 1), Photograph(scans, 2));
}

}  // namespace
}  // namespace bandit::digits

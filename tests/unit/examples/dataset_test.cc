// SPDX-License-Identifier: Apache-2.0
#include "examples/digits/dataset.h"

#include <array>
#include <fstream>
#include <set>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bandit::digits {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Write(const std::string& name, const std::string& text) {
  const std::string path = ::testing::TempDir() + "/" + name;
  std::ofstream(path) << text;
  return path;
}

// 64 zeros and a label.
std::string Blank(const std::string& label) {
  std::string line;
  for (int i = 0; i < kPixels; ++i) line += "0,";
  return line + label + "\n";
}

std::string Key(const Samples& samples, int i) {
  std::string key;
  for (int pixel = 0; pixel < kPixels; ++pixel) {
    key += std::to_string(samples.images(i, pixel)) + ",";
  }
  return key;
}

TEST(DatasetTest, HoldsAllTheSamplesThatItsReadmePromises) {
  const absl::StatusOr<Samples> digits = LoadDigits(DIGITS_DATA);
  ASSERT_TRUE(digits.ok()) << digits.status();
  ASSERT_EQ(digits->size(), 1797);
  EXPECT_EQ(digits->images.rows(), 1797);
  EXPECT_EQ(digits->images.minCoeff(), 0);
  EXPECT_EQ(digits->images.maxCoeff(), 16);
  // Counted in the file with cut, sort and uniq.
  std::array<int, kClasses> counts{};
  for (const int label : digits->labels) ++counts.at(label);
  EXPECT_THAT(counts,
              ElementsAre(178, 182, 177, 183, 181, 182, 181, 179, 174, 180));
  // The first line of the file: a zero.
  EXPECT_EQ(digits->labels[0], 0);
  EXPECT_EQ(digits->images(0, 2), 5);
  EXPECT_EQ(digits->images(0, 3), 13);
}

TEST(DatasetTest, ReadsPlainText) {
  const auto digits = LoadDigits(Write("plain.csv", Blank("7") + Blank("3")));
  ASSERT_TRUE(digits.ok()) << digits.status();
  EXPECT_THAT(digits->labels, ElementsAre(7, 3));
}

TEST(DatasetTest, NamesFileLineAndValueOfWhatItCannotRead) {
  struct Case {
    std::string text;
    std::string message;
  };
  const Case cases[] = {
      {Blank("3") + Blank("10"), ":2: value 65 is no whole number in [0, 9]"},
      {"17" + Blank("3").substr(1),
       ":1: value 1 is no whole number in [0, 16]"},
      {"x" + Blank("3").substr(1), ":1: value 1 is no whole number"},
      {"1,2,3\n", ":1: 3 values, expected 65"},
      {Blank("3,4"), ":1: more than 65 values"},
      {"", ": no samples"},
  };
  for (const Case& c : cases) {
    const auto digits = LoadDigits(Write("bad.csv", c.text));
    EXPECT_EQ(digits.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(digits.status().message()), HasSubstr(c.message));
  }
}

TEST(DatasetTest, SaysThatAFileIsMissing) {
  EXPECT_EQ(LoadDigits("/nonexistent/digits").status().code(),
            absl::StatusCode::kNotFound);
}

// A file cut off in the middle of its compressed data.
TEST(DatasetTest, RefusesATruncatedFile) {
  std::ifstream whole(DIGITS_DATA, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(whole)), {});
  bytes.resize(bytes.size() / 2);
  EXPECT_FALSE(LoadDigits(Write("cut.csv.gz", bytes)).ok());
}

TEST(SplitTest, DealsEverySampleToOnePart) {
  const Samples digits = *LoadDigits(DIGITS_DATA);
  const Split split = SplitDigits(digits);
  EXPECT_EQ(split.train.size(), 1198);
  EXPECT_EQ(split.held_out.size(), 599);

  std::multiset<std::string> before, after;
  for (int i = 0; i < digits.size(); ++i) before.insert(Key(digits, i));
  for (const Samples* part : {&split.train, &split.held_out}) {
    for (int i = 0; i < part->size(); ++i) after.insert(Key(*part, i));
  }
  EXPECT_EQ(before, after);
}

// Servers and client split on their own and must agree.
TEST(SplitTest, IsFixedByItsSeed) {
  const Samples digits = *LoadDigits(DIGITS_DATA);
  EXPECT_EQ(SplitDigits(digits).held_out.images,
            SplitDigits(digits).held_out.images);
  EXPECT_NE(SplitDigits(digits, 1).held_out.images,
            SplitDigits(digits, 2).held_out.images);
}

// No digit may be missing from what the models are trained on.
TEST(SplitTest, LeavesEveryClassInBothParts) {
  const Split split = SplitDigits(*LoadDigits(DIGITS_DATA));
  for (const Samples* part : {&split.train, &split.held_out}) {
    EXPECT_EQ(std::set<int>(part->labels.begin(), part->labels.end()).size(),
              static_cast<size_t>(kClasses));
  }
}

}  // namespace
}  // namespace bandit::digits

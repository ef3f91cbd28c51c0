// SPDX-License-Identifier: Apache-2.0
#include "router/experiment/base64url.h"

#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace bandit::experiment {
namespace {

using Bytes = std::vector<unsigned char>;

std::string Encode(const Bytes& bytes) {
  std::string text(Base64UrlSize(bytes.size()), '!');
  Base64UrlEncode(bytes, text.data());
  return text;
}

std::optional<Bytes> Decode(std::string_view text) {
  Bytes bytes(text.size() * 3 / 4);
  if (!Base64UrlDecode(text, bytes.data())) return std::nullopt;
  return bytes;
}

// RFC 4648, section 10, without the padding; and both letters that base64 has
// otherwise.
TEST(Base64UrlTest, EncodesTheVectorsOfTheRfc) {
  const std::pair<std::string, std::string> vectors[] = {
      {"", ""},
      {"f", "Zg"},
      {"fo", "Zm8"},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg"},
      {"fooba", "Zm9vYmE"},
      {"foobar", "Zm9vYmFy"},
  };
  for (const auto& [plain, text] : vectors) {
    const Bytes bytes(plain.begin(), plain.end());
    EXPECT_EQ(Encode(bytes), text);
    EXPECT_EQ(Decode(text), bytes);
  }
  EXPECT_EQ(Encode({0xfb, 0xff, 0xfe}), "-__-");
  EXPECT_EQ(Decode("-__-"), (Bytes{0xfb, 0xff, 0xfe}));
}

TEST(Base64UrlTest, EveryByteAndTailSurvives) {
  for (size_t size = 0; size <= 300; ++size) {
    Bytes bytes(size);
    for (size_t i = 0; i < size; ++i) bytes[i] = (i * 151 + size) & 0xff;
    EXPECT_EQ(Decode(Encode(bytes)), bytes) << size;
  }
}

// Of all strings of one, two and three characters, those are taken that encode
// one or two bytes: 256 and 65536 of them.
TEST(Base64UrlTest, TakesExactlyOneStringForEachValue) {
  size_t of_one = 0, of_two = 0, of_three = 0;
  unsigned char out[3];
  for (int a = 0; a < 256; ++a) {
    char text[] = {static_cast<char>(a), 0, 0};
    of_one += Base64UrlDecode({text, 1}, out);
    for (int b = 0; b < 256; ++b) {
      text[1] = static_cast<char>(b);
      of_two += Base64UrlDecode({text, 2}, out);
      for (int c = 0; c < 256; ++c) {
        text[2] = static_cast<char>(c);
        of_three += Base64UrlDecode({text, 3}, out);
      }
    }
  }
  EXPECT_EQ(of_one, 0);
  EXPECT_EQ(of_two, 256);
  EXPECT_EQ(of_three, 65536);
}

TEST(Base64UrlTest, RefusesPaddingSpacesAndTheOtherAlphabet) {
  for (std::string_view text :
       {"Zg==", "Zm8=", " Zm9v", "Zm9v\n", "+__-", "-//-", "Zm9v.", "Zm9vY"}) {
    EXPECT_FALSE(Decode(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace bandit::experiment

// SPDX-License-Identifier: Apache-2.0
#include <zlib.h>

#include <string>

#include "gtest/gtest.h"
#include "router/experiment/model_name.h"

namespace bandit::experiment {
namespace {

constexpr size_t kLimit = size_t{1} << 20;

std::string Deflated(std::string_view plain, int window_bits) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, window_bits,
                         8, Z_DEFAULT_STRATEGY),
            Z_OK);
  std::string out(deflateBound(&stream, plain.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  stream.avail_in = plain.size();
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = out.size();
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string Gzip(std::string_view plain) { return Deflated(plain, 15 + 16); }
std::string Zlib(std::string_view plain) { return Deflated(plain, 15); }

std::string Noise(size_t size) {
  std::string text(size, '\0');
  uint32_t state = 1;
  for (char& c : text) {
    state = state * 1664525 + 1013904223;
    c = static_cast<char>(state >> 24);
  }
  return text;
}

absl::StatusCode CodeOf(std::string_view encoding, std::string_view payload,
                        size_t limit = kLimit) {
  return Inflate(encoding, payload, limit).status().code();
}

TEST(InflateTest, GivesBackWhatWasCompressed) {
  for (const std::string& plain :
       {std::string(), std::string("x"), std::string(100'000, 'y'), Noise(4095),
        Noise(4096), Noise(4097), Noise(500'000)}) {
    EXPECT_EQ(*Inflate("gzip", Gzip(plain), kLimit), plain);
    EXPECT_EQ(*Inflate("deflate", Zlib(plain), kLimit), plain);
    EXPECT_EQ(*Inflate("identity", plain, kLimit), plain);
    EXPECT_EQ(*Inflate("", plain, kLimit), plain);
  }
}

TEST(InflateTest, OtherEncodingsAreUnimplemented) {
  for (std::string_view encoding : {"br", "snappy", "GZIP", "gzip "}) {
    EXPECT_EQ(CodeOf(encoding, Gzip("x")), absl::StatusCode::kUnimplemented);
  }
}

// gRPC's deflate is the zlib format, not raw deflate, and not gzip.
TEST(InflateTest, FormatsAreNotMixedUp) {
  EXPECT_EQ(CodeOf("gzip", Zlib("x")), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(CodeOf("deflate", Gzip("x")), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(CodeOf("deflate", Deflated("x", -15)),
            absl::StatusCode::kInvalidArgument);
}

TEST(InflateTest, CutShortIsInvalidAtEveryLength) {
  for (const std::string& whole : {Gzip(Noise(300)), Gzip("")}) {
    for (size_t size = 0; size < whole.size(); ++size) {
      EXPECT_EQ(CodeOf("gzip", whole.substr(0, size)),
                absl::StatusCode::kInvalidArgument)
          << size;
    }
  }
}

// Some bits of the format are padding: changing those changes nothing.
TEST(InflateTest, DamageIsInvalidOrHarmless) {
  const std::string plain = Noise(300);
  const std::string whole = Zlib(plain);
  size_t refused = 0;
  for (size_t i = 0; i < whole.size(); ++i) {
    std::string damaged = whole;
    damaged[i] ^= 0x10;
    const auto inflated = Inflate("deflate", damaged, kLimit);
    if (inflated.ok()) {
      EXPECT_EQ(*inflated, plain) << i;
    } else {
      EXPECT_EQ(inflated.status().code(), absl::StatusCode::kInvalidArgument);
      ++refused;
    }
  }
  EXPECT_GE(refused, whole.size() - 1);
}

TEST(InflateTest, WhatFollowsIsInvalid) {
  EXPECT_EQ(CodeOf("gzip", Gzip("x") + "y"),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(CodeOf("gzip", Gzip("x") + Gzip("y")),
            absl::StatusCode::kInvalidArgument);
}

TEST(InflateTest, TheLimitIsExact) {
  for (size_t size : {1, 4095, 4096, 4097, 100'000}) {
    const std::string plain(size, 'a');
    for (std::string_view encoding : {"gzip", "deflate", "identity"}) {
      const std::string payload = encoding == "gzip"      ? Gzip(plain)
                                  : encoding == "deflate" ? Zlib(plain)
                                                          : plain;
      EXPECT_EQ(CodeOf(encoding, payload, size), absl::StatusCode::kOk);
      EXPECT_EQ(CodeOf(encoding, payload, size - 1),
                absl::StatusCode::kResourceExhausted);
    }
  }
  EXPECT_EQ(*Inflate("gzip", Gzip(""), 0), "");
}

// 64 MiB of zeros in 64 KiB; never held.
TEST(InflateTest, ABombStopsAtTheLimit) {
  const std::string bomb = Gzip(std::string(64 << 20, '\0'));
  EXPECT_LT(bomb.size(), size_t{1} << 17);
  EXPECT_EQ(CodeOf("gzip", bomb, 10'000), absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace bandit::experiment

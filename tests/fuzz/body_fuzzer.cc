// SPDX-License-Identifier: Apache-2.0
// A request's body through the look for the model name and through the model
// override: whether there is a name, and what comes out of the override, does
// not depend on how the bytes were cut, and an uncompressed message is what it
// was, with the suffix behind it. The first byte chooses shape and encoding,
// the second the cut.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "router/proxy/message_rewriter.h"
#include "router/proxy/model_peek.h"
#include "tests/fuzz/check.h"

namespace {

namespace experiment = bandit::experiment;
namespace http2 = bandit::http2;
using bandit::proxy::MessageRewriter;
using bandit::proxy::ModelPeek;

constexpr size_t kMaxSize = 4096;
constexpr size_t kPrefix = 5;
constexpr std::string_view kSuffix = "\x0a\x01x";
constexpr std::string_view kEncodings[] = {"gzip", "deflate", "identity", "br"};

struct Rewritten {
  absl::Status status;
  std::string bytes;
};

Rewritten Rewrite(std::string_view body, std::string_view encoding,
                  size_t part) {
  http2::BlockPool pool;
  http2::SliceQueue out;
  MessageRewriter rewriter{std::string(kSuffix), encoding, kMaxSize};
  Rewritten result;
  while (!body.empty() && result.status.ok()) {
    const std::string_view piece = body.substr(0, part);
    body.remove_prefix(piece.size());
    http2::BlockRef block = pool.Allocate(http2::BlockPool::kLarge);
    std::copy(piece.begin(), piece.end(), block->data());
    block->used = static_cast<uint32_t>(piece.size());
    result.status =
        rewriter.Feed(pool, block, block->data(), piece.size(), out);
    FUZZ_CHECK(rewriter.held() <= kMaxSize);
  }
  for (const http2::Slice& slice : out) result.bytes += slice.view();
  return result;
}

std::optional<std::string> Peek(experiment::MessageShape shape,
                                std::string_view body,
                                std::string_view encoding, size_t part) {
  ModelPeek peek(shape, encoding, kMaxSize);
  while (!body.empty()) {
    peek.Feed(body.substr(0, part));
    body.remove_prefix(std::min(part, body.size()));
  }
  peek.End();
  FUZZ_CHECK(peek.done());
  return peek.model();
}

size_t SizeAt(std::string_view body) {
  size_t size = 0;
  for (size_t i = 1; i < kPrefix; ++i) {
    size = size << 8 | static_cast<unsigned char>(body[i]);
  }
  return size;
}

// What the override makes of the whole messages before the first compressed or
// incomplete one.
std::string Expected(std::string_view body) {
  std::string expected;
  while (body.size() >= kPrefix && body[0] == 0 &&
         SizeAt(body) <= body.size() - kPrefix) {
    const size_t size = SizeAt(body);
    const size_t longer = size + kSuffix.size();
    expected += '\0';
    for (int shift = 24; shift >= 0; shift -= 8) {
      expected += static_cast<char>(longer >> shift);
    }
    expected.append(body.substr(kPrefix, size)).append(kSuffix);
    body.remove_prefix(kPrefix + size);
  }
  return expected;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2 || size > 100'000) return 0;
  const auto shape = data[0] % 2 == 0
                         ? experiment::MessageShape::kOpenInference
                         : experiment::MessageShape::kTensorFlowServing;
  const std::string_view encoding = kEncodings[data[0] / 2 % 4];
  const size_t part = 1 + data[1];
  const std::string_view body(reinterpret_cast<const char*>(data + 2),
                              size - 2);
  // Of several names the first part that completes one decides.
  FUZZ_CHECK(Peek(shape, body, encoding, part).has_value() ==
             Peek(shape, body, encoding, body.size() + 1).has_value());

  const Rewritten whole = Rewrite(body, encoding, body.size() + 1);
  const Rewritten parts = Rewrite(body, encoding, part);
  FUZZ_CHECK(whole.status == parts.status);
  FUZZ_CHECK(whole.bytes == parts.bytes);
  FUZZ_CHECK(whole.bytes.starts_with(Expected(body)));
  return 0;
}

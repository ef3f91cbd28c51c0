// SPDX-License-Identifier: Apache-2.0
// The messages of the proxy benchmark: gRPC frames that hold an Open Inference
// Protocol request, so that a proxy which looks into them finds what it seeks.
#ifndef BANDIT_TESTS_BENCH_PROXY_MESSAGE_H_
#define BANDIT_TESTS_BENCH_PROXY_MESSAGE_H_

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace bandit::bench {

// Bytes of gRPC framing before a message.
inline constexpr size_t kPrefix = 5;

// A gRPC-framed message of exactly `bytes` bytes (the frame is kPrefix
// longer): a ModelInferRequest for the model "bench" with one raw input. Below
// 16 bytes it is zeros.
std::string FramedMessage(size_t bytes);

// A header field whose strings outlive the call it is used in.
nghttp2_nv Field(std::string_view name, std::string_view value);

}  // namespace bandit::bench

#endif  // BANDIT_TESTS_BENCH_PROXY_MESSAGE_H_

// SPDX-License-Identifier: Apache-2.0
#include "router/proxy/message_rewriter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "router/proxy/grpc_status.h"

namespace bandit::proxy {
namespace {

constexpr size_t kPrefixSize = 5;  // Compressed flag, big-endian length.

}  // namespace

MessageRewriter::MessageRewriter(std::string suffix, std::string_view encoding,
                                 size_t max_size)
    : suffix_(std::move(suffix)), encoding_(encoding), max_size_(max_size) {}

absl::Status MessageRewriter::Feed(http2::BlockPool& pool,
                                   const http2::BlockRef& block,
                                   const uint8_t* data, size_t size,
                                   http2::SliceQueue& out) {
  while (size > 0) {
    size_t part;
    if (!in_message_) {
      part = std::min(size, kPrefixSize - prefix_.size());
      prefix_.append(reinterpret_cast<const char*>(data), part);
      if (prefix_.size() == kPrefixSize) {
        if (auto status = StartMessage(pool, out); !status.ok()) return status;
      }
    } else {
      part = std::min(size, remaining_);
      if (compressed_) {
        compressed_message_.append(reinterpret_cast<const char*>(data), part);
      } else {
        out.Append(pool, block, data, part);
      }
      remaining_ -= part;
    }
    data += part;
    size -= part;
    if (in_message_ && remaining_ == 0) {
      if (auto status = EndMessage(pool, out); !status.ok()) return status;
    }
  }
  return absl::OkStatus();
}

absl::Status MessageRewriter::StartMessage(http2::BlockPool& pool,
                                           http2::SliceQueue& out) {
  compressed_ = prefix_[0] != 0;
  remaining_ = 0;
  for (size_t i = 1; i < kPrefixSize; ++i) {
    remaining_ = remaining_ << 8 | static_cast<unsigned char>(prefix_[i]);
  }
  prefix_.clear();
  in_message_ = true;
  if (!compressed_) return WritePrefix(pool, remaining_ + suffix_.size(), out);
  if (remaining_ > max_size_) {
    return absl::ResourceExhaustedError(fmt::format(
        "a compressed message of {} bytes is larger than max_held_message = "
        "{}",
        remaining_, max_size_));
  }
  return absl::OkStatus();
}

absl::Status MessageRewriter::EndMessage(http2::BlockPool& pool,
                                         http2::SliceQueue& out) {
  in_message_ = false;
  if (compressed_) {
    auto message = experiment::Inflate(
        encoding_, std::exchange(compressed_message_, {}), max_size_);
    if (!message.ok()) return message.status();
    const size_t size = message->size() + suffix_.size();
    if (auto status = WritePrefix(pool, size, out); !status.ok()) return status;
    out.Copy(pool, http2::BlockPool::kMedium, *message);
  }
  out.Copy(pool, http2::BlockPool::kSmall, suffix_);
  return absl::OkStatus();
}

absl::Status MessageRewriter::WritePrefix(http2::BlockPool& pool, size_t size,
                                          http2::SliceQueue& out) const {
  if (size > std::numeric_limits<uint32_t>::max()) {
    return absl::ResourceExhaustedError(
        "the message has no room for a model override");
  }
  const std::array<uint8_t, kPrefixSize> prefix = {
      0, static_cast<uint8_t>(size >> 24), static_cast<uint8_t>(size >> 16),
      static_cast<uint8_t>(size >> 8), static_cast<uint8_t>(size)};
  out.Copy(pool, http2::BlockPool::kSmall, prefix.data(), prefix.size());
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<MessageRewriter>> RewriterFor(
    http2::Headers request, const experiment::ModelOverride& model,
    size_t max_size) {
  const auto shape = experiment::ShapeOf(http2::Find(request, ":path"));
  if (shape == experiment::MessageShape::kUnknown ||
      !IsGrpc(http2::Find(request, "content-type"))) {
    return std::unique_ptr<MessageRewriter>();
  }
  auto suffix = experiment::OverrideSuffix(shape, model);
  if (!suffix.ok()) return suffix.status();
  return std::make_unique<MessageRewriter>(
      *std::move(suffix), http2::Find(request, "grpc-encoding"), max_size);
}

}  // namespace bandit::proxy

// SPDX-License-Identifier: Apache-2.0
// Overrides the model in the messages of a request body on their way.
#ifndef BANDIT_ROUTER_PROXY_MESSAGE_REWRITER_H_
#define BANDIT_ROUTER_PROXY_MESSAGE_REWRITER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "router/experiment/model_name.h"
#include "router/http2/header.h"
#include "router/http2/slice_queue.h"

namespace bandit::proxy {

// Appends `suffix` to every gRPC message of a body: protobuf's rule that the
// last value of a field wins makes it an override. An uncompressed message
// streams through, only its length prefix changes; a compressed one is held,
// inflated and sent uncompressed.
// Thread-safety: none.   Cost: no copy of large payloads.
class MessageRewriter {
 public:
  // `encoding` is the request's grpc-encoding; `max_size` bounds an inflated
  // message.
  MessageRewriter(std::string suffix, std::string_view encoding,
                  size_t max_size);

  // Rewrites the next bytes of the body, which lie in `block`, into `out`.
  // Fails with Unimplemented (unknown encoding), InvalidArgument (damaged
  // message) or ResourceExhausted (too large, also for a 32-bit length).
  absl::Status Feed(http2::BlockPool& pool, const http2::BlockRef& block,
                    const uint8_t* data, size_t size, http2::SliceQueue& out);

  // Message bytes kept back until the message is complete.
  size_t held() const { return compressed_message_.size(); }

 private:
  absl::Status StartMessage(http2::BlockPool& pool, http2::SliceQueue& out);
  absl::Status EndMessage(http2::BlockPool& pool, http2::SliceQueue& out);
  absl::Status WritePrefix(http2::BlockPool& pool, size_t size,
                           http2::SliceQueue& out) const;

  std::string suffix_;
  std::string encoding_;
  size_t max_size_;
  std::string prefix_;
  bool compressed_ = false;
  size_t remaining_ = 0;  // Of the message being passed.
  bool in_message_ = false;
  std::string compressed_message_;
};

// For the messages of this request; null if they have no model to override.
// Fails as experiment::OverrideSuffix.
absl::StatusOr<std::unique_ptr<MessageRewriter>> RewriterFor(
    http2::Headers request, const experiment::ModelOverride& model,
    size_t max_size);

}  // namespace bandit::proxy

#endif  // BANDIT_ROUTER_PROXY_MESSAGE_REWRITER_H_

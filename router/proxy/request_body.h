// SPDX-License-Identifier: Apache-2.0
// A request's body on its way to a backend.
//
// While the request may have to be sent again, what was sent is kept, up to a
// bound: past it the request is sent once, so that memory stays bounded.
#ifndef BANDIT_ROUTER_PROXY_REQUEST_BODY_H_
#define BANDIT_ROUTER_PROXY_REQUEST_BODY_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "router/http2/slice_queue.h"
#include "router/proxy/message_rewriter.h"

namespace bandit::proxy {

// Thread-safety: none.   Ownership: borrows the pool.
class RequestBody {
 public:
  explicit RequestBody(http2::BlockPool& pool) : pool_(pool) {}

  // Takes the next bytes, which lie in `block`. Fails as
  // MessageRewriter::Feed.
  absl::Status Add(const http2::BlockRef& block, const uint8_t* data,
                   size_t size);

  // What waits to be sent.
  size_t size() const { return queue_.size() - sent_; }
  bool empty() const { return size() == 0; }
  // Moves the first `size` bytes of it to `out`. REQUIRES: size <= size().
  void Take(size_t size, http2::SliceQueue& out);
  // Message bytes that the rewriter holds until the message is whole.
  size_t held() const { return rewriter_ == nullptr ? 0 : rewriter_->held(); }
  // All that is here.
  const http2::SliceQueue& queue() const { return queue_; }

  // From now on what is sent is kept, until it is more than `most` bytes.
  void Keep(size_t most) { keep_ = most; }
  // What was sent need not be kept any longer.
  void LetGo();
  // Whether no byte of it is gone.
  bool whole() const { return whole_; }
  // Begins again from the first byte. REQUIRES: whole().
  void Rewind() { sent_ = 0; }
  // Whether Rewrite may be called.
  bool rewritable() const {
    return whole_ && (rewriter_ == nullptr || original_whole_);
  }
  // Begins again from the first byte, through another rewriter; null: as it
  // came. Fails as Add. REQUIRES: rewritable().
  absl::Status Rewrite(std::unique_ptr<MessageRewriter> rewriter);

  void Clear();

 private:
  http2::BlockPool& pool_;
  std::unique_ptr<MessageRewriter> rewriter_;
  // What was sent and kept, then what waits.
  http2::SliceQueue queue_;
  size_t sent_ = 0;
  // Before the rewriter, as long as it is kept.
  http2::SliceQueue original_;
  bool original_whole_ = false;
  size_t keep_ = 0;
  bool whole_ = true;
};

}  // namespace bandit::proxy

#endif  // BANDIT_ROUTER_PROXY_REQUEST_BODY_H_

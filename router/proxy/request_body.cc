// SPDX-License-Identifier: Apache-2.0
#include "router/proxy/request_body.h"

#include <utility>

namespace bandit::proxy {

absl::Status RequestBody::Add(const http2::BlockRef& block, const uint8_t* data,
                              size_t size) {
  if (rewriter_ == nullptr) {
    queue_.Append(pool_, block, data, size);
    return absl::OkStatus();
  }
  if (original_whole_) {
    original_whole_ = original_.size() + size <= keep_;
    if (original_whole_) {
      original_.Append(pool_, block, data, size);
    } else {
      original_.Clear();
    }
  }
  return rewriter_->Feed(pool_, block, data, size, queue_);
}

void RequestBody::Take(size_t size, http2::SliceQueue& out) {
  if (keep_ > 0 && sent_ + size <= keep_) {
    queue_.CopyTo(out, pool_, sent_, size);
    sent_ += size;
    return;
  }
  if (keep_ > 0) LetGo();
  whole_ = whole_ && size == 0;
  queue_.MoveTo(out, pool_, size);
}

void RequestBody::LetGo() {
  keep_ = 0;
  if (sent_ > 0) {
    queue_.Drop(std::exchange(sent_, 0));
    whole_ = false;
  }
  original_.Clear();
  original_whole_ = false;
}

absl::Status RequestBody::Rewrite(std::unique_ptr<MessageRewriter> rewriter) {
  if (rewriter == nullptr && rewriter_ == nullptr) {
    Rewind();
    return absl::OkStatus();
  }
  http2::SliceQueue all =
      std::exchange(rewriter_ == nullptr ? queue_ : original_, {});
  queue_.Clear();
  sent_ = 0;
  rewriter_ = std::move(rewriter);
  original_whole_ = rewriter_ != nullptr && keep_ > 0;
  for (const http2::Slice& slice : all) {
    if (auto status = Add(slice.block, slice.data, slice.size); !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

void RequestBody::Clear() {
  rewriter_.reset();
  queue_.Clear();
  sent_ = 0;
  original_.Clear();
  original_whole_ = false;
  keep_ = 0;
  whole_ = true;
}

}  // namespace bandit::proxy

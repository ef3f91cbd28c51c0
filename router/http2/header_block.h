// SPDX-License-Identifier: Apache-2.0
// The header fields of one message, held by reference to nghttp2's buffers.
//
// Fields pass through the router without their bytes being copied: what HPACK
// decoded is what HPACK encodes.
#ifndef BANDIT_ROUTER_HTTP2_HEADER_BLOCK_H_
#define BANDIT_ROUTER_HTTP2_HEADER_BLOCK_H_

#include <nghttp2/nghttp2.h>

#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "router/http2/header.h"

namespace bandit::http2 {

// Thread-safety: none; nghttp2's buffers are counted without atomics, so a
// block stays on the thread of the session it came from.
class HeaderBlock {
 public:
  HeaderBlock() = default;
  HeaderBlock(const HeaderBlock&) = delete;
  HeaderBlock& operator=(const HeaderBlock&) = delete;
  ~HeaderBlock() { Clear(); }

  // Appends a received field, taking references to both buffers.
  void Add(nghttp2_rcbuf* name, nghttp2_rcbuf* value, uint8_t flags);

  // Appends a field of the router's own. Ownership: borrows both strings
  // until the frame is sent; `indexed` false keeps a value that will not come
  // again out of the compression table.
  void AddBorrowed(std::string_view name, std::string_view value,
                   bool indexed = true);

  // Appends the fields of `other`. Ownership: shares its buffers; what `other`
  // borrows must outlive this one, too.
  void Append(const HeaderBlock& other);

  // Keeps the values of these names, which will not come again, out of the
  // compression table: they would only push out those that do, and nghttp2
  // compares a value with all of its name that are there.
  void KeepOutOfTable(absl::Span<const std::string> names);

  // Removes every field named `name`.
  void Remove(std::string_view name);

  void Clear();

  bool empty() const { return views_.empty(); }
  Headers view() const { return views_; }
  std::string_view Find(std::string_view name) const {
    return http2::Find(views_, name);
  }
  // For nghttp2_submit_*; valid while the block is unchanged.
  absl::Span<const nghttp2_nv> fields() const { return fields_; }

 private:
  std::vector<Header> views_;
  std::vector<nghttp2_nv> fields_;
  std::vector<nghttp2_rcbuf*> buffers_;
};

}  // namespace bandit::http2

#endif  // BANDIT_ROUTER_HTTP2_HEADER_BLOCK_H_

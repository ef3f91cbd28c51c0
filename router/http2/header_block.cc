// SPDX-License-Identifier: Apache-2.0
#include "router/http2/header_block.h"

#include <algorithm>

namespace bandit::http2 {
namespace {

constexpr uint8_t kBorrow =
    NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE;

std::string_view View(nghttp2_rcbuf* buffer) {
  const nghttp2_vec vec = nghttp2_rcbuf_get_buf(buffer);
  return {reinterpret_cast<const char*>(vec.base), vec.len};
}

nghttp2_nv Field(std::string_view name, std::string_view value, uint8_t flags) {
  return {reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
          reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())),
          name.size(), value.size(), flags};
}

}  // namespace

void HeaderBlock::Add(nghttp2_rcbuf* name, nghttp2_rcbuf* value,
                      uint8_t flags) {
  nghttp2_rcbuf_incref(name);
  nghttp2_rcbuf_incref(value);
  buffers_.push_back(name);
  buffers_.push_back(value);
  const Header& header = views_.emplace_back(View(name), View(value));
  fields_.push_back(Field(header.name, header.value,
                          kBorrow | (flags & NGHTTP2_NV_FLAG_NO_INDEX)));
}

void HeaderBlock::AddBorrowed(std::string_view name, std::string_view value,
                              bool indexed) {
  views_.emplace_back(name, value);
  fields_.push_back(Field(
      name, value, indexed ? kBorrow : kBorrow | NGHTTP2_NV_FLAG_NO_INDEX));
}

void HeaderBlock::Append(const HeaderBlock& other) {
  for (nghttp2_rcbuf* buffer : other.buffers_) {
    nghttp2_rcbuf_incref(buffer);
    buffers_.push_back(buffer);
  }
  views_.insert(views_.end(), other.views_.begin(), other.views_.end());
  fields_.insert(fields_.end(), other.fields_.begin(), other.fields_.end());
}

void HeaderBlock::KeepOutOfTable(absl::Span<const std::string> names) {
  for (size_t i = 0; i < views_.size(); ++i) {
    if (std::find(names.begin(), names.end(), views_[i].name) != names.end()) {
      fields_[i].flags |= NGHTTP2_NV_FLAG_NO_INDEX;
    }
  }
}

void HeaderBlock::Remove(std::string_view name) {
  size_t kept = 0;
  for (size_t i = 0; i < views_.size(); ++i) {
    if (views_[i].name == name) continue;
    views_[kept] = views_[i];
    fields_[kept] = fields_[i];
    ++kept;
  }
  views_.resize(kept);
  fields_.resize(kept);
}

void HeaderBlock::Clear() {
  for (nghttp2_rcbuf* buffer : buffers_) nghttp2_rcbuf_decref(buffer);
  buffers_.clear();
  views_.clear();
  fields_.clear();
}

}  // namespace bandit::http2

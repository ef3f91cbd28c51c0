// SPDX-License-Identifier: Apache-2.0
#include "router/proxy/model_peek.h"

#include <algorithm>
#include <utility>

namespace bandit::proxy {
namespace {

constexpr size_t kPrefixSize = 5;  // Compressed flag, big-endian length.

}  // namespace

ModelPeek::ModelPeek(experiment::MessageShape shape, std::string_view encoding,
                     size_t max_size)
    : shape_(shape), encoding_(encoding), max_size_(max_size) {
  if (shape_ == experiment::MessageShape::kUnknown) Finish(std::nullopt);
}

void ModelPeek::Feed(std::string_view bytes) {
  if (done_) return;
  if (prefix_.size() < kPrefixSize) {
    const size_t part = std::min(bytes.size(), kPrefixSize - prefix_.size());
    prefix_.append(bytes.substr(0, part));
    bytes.remove_prefix(part);
    if (prefix_.size() < kPrefixSize) return;
    ReadPrefix();
    if (done_) return;
  }
  // Of the first message only: it decides for the whole stream.
  bytes = bytes.substr(0, message_size_ - seen_);
  seen_ += bytes.size();
  if (!compressed_) {
    skimmer_->Feed(bytes);
    TakeAnswer();
    return;
  }
  compressed_message_.append(bytes);
  if (seen_ == message_size_) SkimInflated();
}

void ModelPeek::End() {
  if (!done_) Finish(std::nullopt);
}

void ModelPeek::ReadPrefix() {
  compressed_ = prefix_[0] != 0;
  for (size_t i = 1; i < kPrefixSize; ++i) {
    message_size_ = message_size_ << 8 | static_cast<unsigned char>(prefix_[i]);
  }
  if (compressed_ && message_size_ > max_size_) {
    Finish(std::nullopt);
  } else if (!compressed_) {
    skimmer_.emplace(shape_, message_size_);
    TakeAnswer();
  }
}

void ModelPeek::SkimInflated() {
  const auto message = experiment::Inflate(
      encoding_, std::exchange(compressed_message_, {}), max_size_);
  if (!message.ok()) {
    // The backend, or the override, will say what is wrong with it.
    Finish(std::nullopt);
    return;
  }
  skimmer_.emplace(shape_, message->size());
  skimmer_->Feed(*message);
  TakeAnswer();
}

void ModelPeek::TakeAnswer() {
  using State = experiment::ModelNameSkimmer::State;
  switch (skimmer_->state()) {
    case State::kNeedMore:
      return;
    case State::kFound:
      Finish(skimmer_->model());
      return;
    case State::kAbsent:
    case State::kMalformed:
      Finish(std::nullopt);
      return;
  }
}

void ModelPeek::Finish(std::optional<std::string> model) {
  done_ = true;
  model_ = std::move(model);
}

}  // namespace bandit::proxy

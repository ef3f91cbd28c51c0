// SPDX-License-Identifier: Apache-2.0
#include "router/experiment/model_name.h"

#include <algorithm>
#include <charconv>

#include "fmt/format.h"

namespace bandit::experiment {
namespace {

// The protobuf wire format.
enum WireType : uint32_t {
  kVarintType = 0,
  kFixed64 = 1,
  kLengthDelimited = 2,
  kStartGroup = 3,
  kEndGroup = 4,
  kFixed32 = 5,
};
constexpr uint32_t Tag(uint32_t field, WireType type) {
  return field << 3 | type;
}
// Limits of protobuf's own parsers.
constexpr int kMaxTagBytes = 5;
constexpr int kMaxLengthBytes = 5;
constexpr int kMaxVarintBytes = 10;
constexpr size_t kMaxGroups = 100;

// The field of both shapes, and of TensorFlow Serving's model_spec: 1.
constexpr uint32_t kNameTag = Tag(1, kLengthDelimited);
constexpr uint32_t kVersionTag = Tag(2, kLengthDelimited);
constexpr uint32_t kInt64ValueTag = Tag(1, kVarintType);

void AppendVarint(uint64_t value, std::string* out) {
  for (; value >= 0x80; value >>= 7) {
    out->push_back(static_cast<char>(value | 0x80));
  }
  out->push_back(static_cast<char>(value));
}

void AppendField(uint32_t tag, std::string_view bytes, std::string* out) {
  AppendVarint(tag, out);
  AppendVarint(bytes.size(), out);
  out->append(bytes);
}

}  // namespace

MessageShape ShapeOf(std::string_view path) {
  constexpr std::string_view kOpenInference =
      "/inference.GRPCInferenceService/";
  constexpr std::string_view kTensorFlowServing =
      "/tensorflow.serving.PredictionService/";
  if (path.starts_with(kOpenInference)) {
    path.remove_prefix(kOpenInference.size());
    if (path == "ModelInfer" || path == "ModelStreamInfer") {
      return MessageShape::kOpenInference;
    }
  } else if (path.starts_with(kTensorFlowServing)) {
    path.remove_prefix(kTensorFlowServing.size());
    if (path == "Predict" || path == "Classify" || path == "Regress" ||
        path == "GetModelMetadata") {
      return MessageShape::kTensorFlowServing;
    }
  }
  return MessageShape::kUnknown;
}

ModelNameSkimmer::ModelNameSkimmer(MessageShape shape, size_t message_size)
    : shape_(shape), message_size_(message_size), end_(message_size) {
  if (shape == MessageShape::kUnknown || message_size == 0) {
    stopped_ = true;
    state_ = State::kAbsent;
  }
}

ModelNameSkimmer::State ModelNameSkimmer::Feed(std::string_view part) {
  part = part.substr(0, message_size_ - position_);
  while (!part.empty() && !stopped_) {
    if (run_ > 0) {
      ReadRun(&part);
    } else {
      ReadByte(static_cast<uint8_t>(part.front()));
      part.remove_prefix(1);
    }
  }
  if (!stopped_ && position_ == message_size_) EndMessage();
  return state_;
}

void ModelNameSkimmer::ReadRun(std::string_view* part) {
  const size_t n = std::min(run_, part->size());
  if (phase_ == Phase::kName) partial_.append(part->substr(0, n));
  part->remove_prefix(n);
  position_ += n;
  run_ -= n;
  if (run_ == 0) EndField();
}

// A byte of a tag, of a length or of a varint field.
void ModelNameSkimmer::ReadByte(uint8_t byte) {
  // Only a model_spec can end here: Feed stops at the message's end.
  if (position_ == end_) return Fail();
  ++position_;
  value_ |= uint64_t{byte & 0x7fU} << (7 * varint_bytes_);
  ++varint_bytes_;
  if (byte >= 0x80) {
    const int limit = phase_ == Phase::kTag      ? kMaxTagBytes
                      : phase_ == Phase::kLength ? kMaxLengthBytes
                                                 : kMaxVarintBytes;
    if (varint_bytes_ == limit) Fail();
    return;
  }
  const uint64_t value = value_;
  value_ = 0;
  varint_bytes_ = 0;
  switch (phase_) {
    case Phase::kTag:
      // Bits beyond 32 are dropped, as protobuf's own parser does.
      return OnTag(static_cast<uint32_t>(value));
    case Phase::kLength:
      return OnLength(value);
    default:
      return EndField();
  }
}

void ModelNameSkimmer::OnTag(uint32_t tag) {
  tag_ = tag;
  const uint32_t field = tag >> 3;
  if (field == 0) return Fail();
  switch (tag & 7) {
    case kVarintType:
      phase_ = Phase::kVarint;
      return;
    case kFixed64:
      return StartRun(Phase::kSkip, 8);
    case kLengthDelimited:
      phase_ = Phase::kLength;
      return;
    case kStartGroup:
      if (groups_.size() == kMaxGroups) return Fail();
      groups_.push_back(field);
      return EndField();
    case kEndGroup:
      if (groups_.empty() || groups_.back() != field) return Fail();
      groups_.pop_back();
      return EndField();
    case kFixed32:
      return StartRun(Phase::kSkip, 4);
    default:
      return Fail();
  }
}

void ModelNameSkimmer::OnLength(uint64_t length) {
  if (tag_ != kNameTag || !groups_.empty()) {
    return StartRun(Phase::kSkip, length);
  }
  if (shape_ == MessageShape::kOpenInference || in_spec_) {
    partial_.clear();
    return StartRun(Phase::kName, length);
  }
  if (length > end_ - position_) return Fail();
  in_spec_ = true;
  end_ = position_ + length;
  EndField();
}

// The next `length` bytes are one piece.
void ModelNameSkimmer::StartRun(Phase phase, uint64_t length) {
  if (length > end_ - position_) return Fail();
  phase_ = phase;
  run_ = length;
  if (run_ == 0) EndField();
}

void ModelNameSkimmer::EndField() {
  if (phase_ == Phase::kName) {
    model_.swap(partial_);
    state_ = State::kFound;
  }
  phase_ = Phase::kTag;
  if (in_spec_ && position_ == end_) {
    if (!groups_.empty()) return Fail();
    in_spec_ = false;
    end_ = message_size_;
  }
}

void ModelNameSkimmer::EndMessage() {
  const bool complete = phase_ == Phase::kTag && varint_bytes_ == 0 &&
                        groups_.empty() && !in_spec_;
  if (!complete) return Fail();
  stopped_ = true;
  if (state_ == State::kNeedMore) state_ = State::kAbsent;
}

void ModelNameSkimmer::Fail() {
  stopped_ = true;
  if (state_ == State::kNeedMore) state_ = State::kMalformed;
}

absl::StatusOr<std::string> OverrideSuffix(MessageShape shape,
                                           const ModelOverride& model) {
  std::string name, version;
  if (!model.name.empty()) AppendField(kNameTag, model.name, &name);
  switch (shape) {
    case MessageShape::kUnknown:
      return std::string();
    case MessageShape::kOpenInference:
      if (!model.version.empty()) {
        AppendField(kVersionTag, model.version, &version);
      }
      return name + version;
    case MessageShape::kTensorFlowServing:
      break;
  }
  if (!model.version.empty()) {
    int64_t number = 0;
    const char* end = model.version.data() + model.version.size();
    const auto [rest, error] =
        std::from_chars(model.version.data(), end, number);
    if (error != std::errc() || rest != end) {
      return absl::InvalidArgumentError(fmt::format(
          "model version \"{}\" is not a 64-bit number, which TensorFlow "
          "Serving wants",
          model.version));
    }
    // Written even if 0: it must replace the caller's.
    std::string int64_value;
    AppendVarint(kInt64ValueTag, &int64_value);
    AppendVarint(static_cast<uint64_t>(number), &int64_value);
    AppendField(kVersionTag, int64_value, &version);
  }
  std::string suffix;
  if (!name.empty() || !version.empty()) {
    AppendField(kNameTag, name + version, &suffix);
  }
  return suffix;
}

}  // namespace bandit::experiment

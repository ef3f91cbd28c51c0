// SPDX-License-Identifier: Apache-2.0
// Reads and overrides the model name of an inference request without parsing
// the message.
//
// Knows two shapes: the Open Inference Protocol's ModelInferRequest
// (model_name = 1, model_version = 2, both strings) and TensorFlow Serving's
// requests (model_spec = 1, holding name = 1, version = 2 as Int64Value).
#ifndef BANDIT_ROUTER_EXPERIMENT_MODEL_NAME_H_
#define BANDIT_ROUTER_EXPERIMENT_MODEL_NAME_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/container/inlined_vector.h"
#include "absl/status/statusor.h"

namespace bandit::experiment {

struct ModelOverride {
  std::string name;     // Empty: as the caller has it.
  std::string version;  // Empty: as the caller has it.

  friend bool operator==(const ModelOverride&, const ModelOverride&) = default;
};

enum class MessageShape { kUnknown, kOpenInference, kTensorFlowServing };

// By the request's `:path`: /inference.GRPCInferenceService/ModelInfer and
// /ModelStreamInfer; /tensorflow.serving.PredictionService/Predict, /Classify,
// /Regress and /GetModelMetadata (not /MultiInference, whose tasks have a model
// each).
MessageShape ShapeOf(std::string_view path);

// Reads the model name from the first bytes of a message (without the gRPC
// 5-byte prefix), wherever the field stands, as they come. It is fed each part
// once, whether or not the caller keeps the message, and keeps nothing but the
// name, so that a name behind 64 MiB of tensors costs no more than one before.
//
//   ModelNameSkimmer skimmer(ShapeOf(path), message_size);
//   while (skimmer.state() == ModelNameSkimmer::State::kNeedMore) {
//     skimmer.Feed(next_part);
//   }
//
// Thread-safety: none.
// Cost: O(fields) plus the length of names; contents are skipped unread.
class ModelNameSkimmer {
 public:
  enum class State {
    kNeedMore,   // What came so far does not decide it.
    kFound,      // model() is the name.
    kAbsent,     // The whole message has no model name.
    kMalformed,  // This is no protobuf message, and no name came before.
  };

  // `message_size` is the length of the whole message. An unknown shape is
  // kAbsent at once.
  ModelNameSkimmer(MessageShape shape, size_t message_size);

  // Continues with the next bytes of the message; those beyond its end are
  // ignored. All of `part` is read, so that a repeated name in it replaces the
  // one before, as in protobuf. The first part that completes a name gives
  // kFound, without waiting for the rest (OIP and TensorFlow Serving clients
  // write the name first); that stays, whatever follows: damage further on is
  // the backend's to report.
  State Feed(std::string_view part);

  State state() const { return state_; }

  // The name; empty unless state() is kFound (it may be empty then too).
  const std::string& model() const { return model_; }

 private:
  // What the next byte belongs to.
  enum class Phase { kTag, kLength, kVarint, kSkip, kName };

  void ReadByte(uint8_t byte);
  void ReadRun(std::string_view* part);
  void OnTag(uint32_t tag);
  void OnLength(uint64_t length);
  void StartRun(Phase phase, uint64_t length);
  void EndField();
  void EndMessage();
  void Fail();

  const MessageShape shape_;
  const size_t message_size_;
  State state_ = State::kNeedMore;
  // Nothing more will be read: the message has ended, or is damaged.
  bool stopped_ = false;
  Phase phase_ = Phase::kTag;
  size_t position_ = 0;
  // Inside TensorFlow Serving's model_spec.
  bool in_spec_ = false;
  // Where the message ends, or the model_spec while inside.
  size_t end_;
  // Field numbers of the groups that are open.
  absl::InlinedVector<uint32_t, 4> groups_;
  uint32_t tag_ = 0;
  // Of the varint being read.
  uint64_t value_ = 0;
  int varint_bytes_ = 0;
  // What is left of the field being skipped or copied.
  size_t run_ = 0;
  // The name being read: `model_` stays whole until the next one is.
  std::string partial_;
  std::string model_;
};

// The bytes which, appended to a message of this shape, override its model name
// and version: protobuf's rule that the last value of a singular field wins,
// and that a repeated embedded message merges. In TensorFlow Serving a version
// takes the place of the caller's version_label too, being in one oneof with
// it. Empty for kUnknown and for an override of nothing.
// Fails with InvalidArgument if a TF Serving version is no int64.
absl::StatusOr<std::string> OverrideSuffix(MessageShape shape,
                                           const ModelOverride& model);

// Inflates a gRPC message payload by its `grpc-encoding` (gzip, deflate as the
// zlib format, identity or none).
// Fails with Unimplemented for another encoding, InvalidArgument for data that
// is damaged, cut short or followed by more, ResourceExhausted past `max_size`
// bytes, of which no more than that is ever held.
absl::StatusOr<std::string> Inflate(std::string_view encoding,
                                    std::string_view payload, size_t max_size);

}  // namespace bandit::experiment

#endif  // BANDIT_ROUTER_EXPERIMENT_MODEL_NAME_H_

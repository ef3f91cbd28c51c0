// SPDX-License-Identifier: Apache-2.0
// Reads and overrides the model name of an inference request without parsing
// the message.
//
// Knows two shapes: the Open Inference Protocol's ModelInferRequest
// (model_name = 1, model_version = 2, both strings) and TensorFlow Serving's
// requests (model_spec = 1, holding name = 1, version = 2 as Int64Value).
#ifndef BANDIT_ROUTER_EXPERIMENT_MODEL_NAME_H_
#define BANDIT_ROUTER_EXPERIMENT_MODEL_NAME_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "router/experiment/plan.h"

namespace bandit::experiment {

enum class MessageShape { kUnknown, kOpenInference, kTensorFlowServing };

// By the request's `:path`: /inference.GRPCInferenceService/ModelInfer and
// /ModelStreamInfer, /tensorflow.serving.PredictionService/*.
MessageShape ShapeOf(std::string_view path);

struct Skim {
  enum class State {
    kFound,      // `model` is the name (the last one, as protobuf has it).
    kNeedMore,   // The prefix does not decide it.
    kAbsent,     // The whole message has no model name.
    kMalformed,  // Not a protobuf message.
  };
  State state = State::kNeedMore;
  std::string_view model;  // Into `prefix`.
};

// Reads the model name from the first bytes of a message (without the gRPC
// 5-byte prefix), wherever the field stands. `message_size` is the length of
// the whole message. kFound may be returned before the whole message is there
// (OIP and TF Serving clients write the name first); a later duplicate of the
// field is honoured only if it lies within `prefix`.
// Cost: O(fields), skips tensor contents.
Skim SkimModelName(MessageShape shape, std::string_view prefix,
                   size_t message_size);

// The bytes which, appended to a message of this shape, override its model name
// and version: protobuf's rule that the last value of a singular field wins,
// and that a repeated embedded message merges.
// Fails with InvalidArgument if a TF Serving version is no int64.
absl::StatusOr<std::string> OverrideSuffix(MessageShape shape,
                                           const ModelOverride& model);

// Inflates a gRPC message payload by its `grpc-encoding` (gzip or deflate).
// Fails with Unimplemented for another encoding, InvalidArgument for damaged
// data, ResourceExhausted past `max_size`.
absl::StatusOr<std::string> Inflate(std::string_view encoding,
                                    std::string_view payload, size_t max_size);

}  // namespace bandit::experiment

#endif  // BANDIT_ROUTER_EXPERIMENT_MODEL_NAME_H_

// SPDX-License-Identifier: Apache-2.0
// The Open Inference Protocol's tensors, to and from images and scores.
//
// Apart from the server, so that every way in which a request can be wrong is
// tested without one.
#ifndef BANDIT_EXAMPLES_DIGITS_TENSORS_H_
#define BANDIT_EXAMPLES_DIGITS_TENSORS_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "examples/digits/classifier.h"
#include "examples/digits/dataset.h"
#include "inference/grpc_predict_v2.pb.h"

namespace bandit::digits {

// The model's tensors: input "image" FP32 [n, 64]; outputs "class" INT64 [n]
// and "scores" FP32 [n, 10].
inline constexpr char kModelName[] = "digits";
inline constexpr char kInput[] = "image";
inline constexpr char kClassOutput[] = "class";
inline constexpr char kScoresOutput[] = "scores";
// Images in one request.
inline constexpr int kMaxBatch = 1024;

// Reads the batch from `fp32_contents` or `raw_input_contents`.
// Fails with InvalidArgument naming the tensor, what it has and what was
// expected if inputs, name, datatype, shape or contents are not as above, a
// pixel is not finite, or an output is asked for that there is none of.
absl::StatusOr<Images> DecodeImages(
    const inference::ModelInferRequest& request);

// Adds the outputs that `request` asks for (none: both), raw if its input was.
void EncodeScores(const Scores& scores,
                  const inference::ModelInferRequest& request,
                  inference::ModelInferResponse* response);

// The client's side: one image, raw or typed.
enum class Contents { kRaw, kTyped };
void EncodeImage(const Images& images, Eigen::Index row, Contents contents,
                 inference::ModelInferRequest* request);

// The class of a response to one image. Fails with InvalidArgument if the
// response does not hold exactly one.
absl::StatusOr<int> DecodeClass(const inference::ModelInferResponse& response);

}  // namespace bandit::digits

#endif  // BANDIT_EXAMPLES_DIGITS_TENSORS_H_

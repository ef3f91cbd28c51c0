// SPDX-License-Identifier: Apache-2.0
#include "examples/digits/tensors.h"

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "fmt/ranges.h"

namespace bandit::digits {
namespace {

using inference::ModelInferRequest;
using inference::ModelInferResponse;

static_assert(std::endian::native == std::endian::little,
              "raw tensors are little endian");

template <typename... Args>
absl::Status Invalid(fmt::format_string<Args...> format, Args&&... args) {
  return absl::InvalidArgumentError(
      fmt::format(format, std::forward<Args>(args)...));
}

// The number of images, from the declaration of the one input.
absl::StatusOr<int> BatchSize(const ModelInferRequest& request) {
  if (request.inputs_size() != 1) {
    return Invalid("{} inputs, expected 1: '{}'", request.inputs_size(),
                   kInput);
  }
  const auto& input = request.inputs(0);
  if (input.name() != kInput) {
    return Invalid("input '{}' is unknown, expected '{}'", input.name(),
                   kInput);
  }
  if (input.datatype() != "FP32") {
    return Invalid("input '{}' has datatype '{}', expected FP32", kInput,
                   input.datatype());
  }
  if (input.shape_size() != 2 || input.shape(1) != kPixels ||
      input.shape(0) < 1 || input.shape(0) > kMaxBatch) {
    return Invalid("input '{}' has shape [{}], expected [1..{}, {}]", kInput,
                   fmt::join(input.shape(), ", "), kMaxBatch, kPixels);
  }
  return static_cast<int>(input.shape(0));
}

absl::Status CheckOutputs(const ModelInferRequest& request) {
  for (const auto& output : request.outputs()) {
    if (output.name() != kClassOutput && output.name() != kScoresOutput) {
      return Invalid("output '{}' is unknown, expected '{}' or '{}'",
                     output.name(), kClassOutput, kScoresOutput);
    }
  }
  return absl::OkStatus();
}

bool Wants(const ModelInferRequest& request, const char* name) {
  if (request.outputs_size() == 0) return true;
  for (const auto& output : request.outputs()) {
    if (output.name() == name) return true;
  }
  return false;
}

ModelInferResponse::InferOutputTensor* AddOutput(const char* name,
                                                 const char* datatype,
                                                 int64_t n,
                                                 ModelInferResponse* response) {
  auto* output = response->add_outputs();
  output->set_name(name);
  output->set_datatype(datatype);
  output->add_shape(n);
  return output;
}

template <typename T>
std::string RawBytes(const T* values, size_t count) {
  return {reinterpret_cast<const char*>(values), count * sizeof(T)};
}

}  // namespace

absl::StatusOr<Images> DecodeImages(const ModelInferRequest& request) {
  const absl::StatusOr<int> batch = BatchSize(request);
  if (!batch.ok()) return batch.status();
  if (absl::Status status = CheckOutputs(request); !status.ok()) return status;

  Images images(*batch, kPixels);
  const size_t count = static_cast<size_t>(images.size());
  const auto& typed = request.inputs(0).contents().fp32_contents();
  if (request.raw_input_contents_size() > 0) {
    if (request.inputs(0).has_contents()) {
      return Invalid("both raw_input_contents and contents are present");
    }
    if (request.raw_input_contents_size() != 1) {
      return Invalid("{} raw_input_contents, expected 1",
                     request.raw_input_contents_size());
    }
    const std::string& raw = request.raw_input_contents(0);
    if (raw.size() != count * sizeof(float)) {
      return Invalid("input '{}' has {} raw bytes, expected {}", kInput,
                     raw.size(), count * sizeof(float));
    }
    std::memcpy(images.data(), raw.data(), raw.size());
  } else {
    if (static_cast<size_t>(typed.size()) != count) {
      return Invalid("input '{}' has {} fp32_contents, expected {}", kInput,
                     typed.size(), count);
    }
    std::memcpy(images.data(), typed.data(), count * sizeof(float));
  }
  if (!images.allFinite()) {
    return Invalid("input '{}' has a pixel that is not finite", kInput);
  }
  return images;
}

void EncodeScores(const Scores& scores, const ModelInferRequest& request,
                  ModelInferResponse* response) {
  const bool raw = request.raw_input_contents_size() > 0;
  if (Wants(request, kClassOutput)) {
    auto* output = AddOutput(kClassOutput, "INT64", scores.rows(), response);
    const std::vector<int> classes = Classify(scores);
    const std::vector<int64_t> wide(classes.begin(), classes.end());
    if (raw) {
      response->add_raw_output_contents(RawBytes(wide.data(), wide.size()));
    } else {
      output->mutable_contents()->mutable_int64_contents()->Add(wide.begin(),
                                                                wide.end());
    }
  }
  if (Wants(request, kScoresOutput)) {
    auto* output = AddOutput(kScoresOutput, "FP32", scores.rows(), response);
    output->add_shape(kClasses);
    if (raw) {
      response->add_raw_output_contents(
          RawBytes(scores.data(), static_cast<size_t>(scores.size())));
    } else {
      output->mutable_contents()->mutable_fp32_contents()->Add(
          scores.data(), scores.data() + scores.size());
    }
  }
}

void EncodeImage(const Images& images, Eigen::Index row, Contents contents,
                 ModelInferRequest* request) {
  request->set_model_name(kModelName);
  auto* input = request->add_inputs();
  input->set_name(kInput);
  input->set_datatype("FP32");
  input->add_shape(1);
  input->add_shape(kPixels);
  const float* const pixels = images.data() + row * kPixels;
  if (contents == Contents::kRaw) {
    request->add_raw_input_contents(RawBytes(pixels, kPixels));
  } else {
    input->mutable_contents()->mutable_fp32_contents()->Add(pixels,
                                                            pixels + kPixels);
  }
}

absl::StatusOr<int> DecodeClass(const ModelInferResponse& response) {
  for (int i = 0; i < response.outputs_size(); ++i) {
    if (response.outputs(i).name() != kClassOutput) continue;
    if (i < response.raw_output_contents_size()) {
      const std::string& raw = response.raw_output_contents(i);
      int64_t value;
      if (raw.size() == sizeof(value)) {
        std::memcpy(&value, raw.data(), sizeof(value));
        return static_cast<int>(value);
      }
    } else if (response.outputs(i).contents().int64_contents_size() == 1) {
      return static_cast<int>(response.outputs(i).contents().int64_contents(0));
    }
    return Invalid("output '{}' does not hold one class", kClassOutput);
  }
  return Invalid("the response has no output '{}'", kClassOutput);
}

}  // namespace bandit::digits

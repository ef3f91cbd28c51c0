// SPDX-License-Identifier: Apache-2.0
// The skimmer against protobuf's parser: of a message that parses, both give
// the same name, however the bytes are cut; and an override, appended, changes
// the model and nothing else. The first byte chooses shape and cut.
#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "inference/grpc_predict_v2.pb.h"
#include "router/experiment/model_name.h"
#include "tensorflow_serving/predict.pb.h"
#include "tests/fuzz/check.h"

namespace {

using bandit::experiment::MessageShape;
using bandit::experiment::ModelNameSkimmer;
using bandit::experiment::OverrideSuffix;
using State = ModelNameSkimmer::State;

std::string NameOf(const inference::ModelInferRequest& m) {
  return m.model_name();
}
std::string NameOf(const tensorflow::serving::PredictRequest& m) {
  return m.model_spec().name();
}
void SetModel(inference::ModelInferRequest* m) {
  m->set_model_name("other");
  m->set_model_version("42");
}
void SetModel(tensorflow::serving::PredictRequest* m) {
  m->mutable_model_spec()->set_name("other");
  m->mutable_model_spec()->mutable_version()->set_value(42);
}

// How much of one message the parser and the override agree on.
template <typename Message>
void Compare(MessageShape shape, std::string_view bytes,
             const ModelNameSkimmer& skimmer) {
  Message message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return;
  }
  FUZZ_CHECK(skimmer.state() == State::kFound ||
             skimmer.state() == State::kAbsent);
  FUZZ_CHECK(skimmer.model() == NameOf(message));

  const auto suffix = OverrideSuffix(shape, {"other", "42"});
  FUZZ_CHECK(suffix.ok());
  Message overridden;
  FUZZ_CHECK(overridden.ParseFromString(std::string(bytes) + *suffix));
  SetModel(&message);
  FUZZ_CHECK(
      google::protobuf::util::MessageDifferencer::Equals(message, overridden));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const google::protobuf::LogSilencer silencer;
  if (size == 0) return 0;
  const MessageShape shape = data[0] % 2 == 0
                                 ? MessageShape::kOpenInference
                                 : MessageShape::kTensorFlowServing;
  const size_t part = 1 + data[0] / 2;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1),
                               size - 1);
  ModelNameSkimmer whole(shape, bytes.size());
  whole.Feed(bytes);
  FUZZ_CHECK(whole.state() != State::kNeedMore);

  ModelNameSkimmer parts(shape, bytes.size());
  bool found = false;
  for (size_t i = 0; i < bytes.size(); i += part) {
    parts.Feed(bytes.substr(i, part));
    // A name once found stays found.
    FUZZ_CHECK(!found || parts.state() == State::kFound);
    found = parts.state() == State::kFound;
  }
  FUZZ_CHECK(parts.state() == whole.state());
  FUZZ_CHECK(parts.model() == whole.model());

  if (shape == MessageShape::kOpenInference) {
    Compare<inference::ModelInferRequest>(shape, bytes, whole);
  } else {
    Compare<tensorflow::serving::PredictRequest>(shape, bytes, whole);
  }
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "router/experiment/model_name.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "inference/grpc_predict_v2.pb.h"
#include "tensorflow_serving/predict.pb.h"

namespace bandit::experiment {
namespace {

using State = ModelNameSkimmer::State;
constexpr auto kOip = MessageShape::kOpenInference;
constexpr auto kTfs = MessageShape::kTensorFlowServing;

struct Skimmed {
  State state;
  std::string model;

  friend bool operator==(const Skimmed&, const Skimmed&) = default;
};

void PrintTo(const Skimmed& skimmed, std::ostream* out) {
  *out << static_cast<int>(skimmed.state) << " \"" << skimmed.model << '"';
}

Skimmed Found(std::string model) { return {State::kFound, std::move(model)}; }
const Skimmed kAbsent = {State::kAbsent, ""};
const Skimmed kMalformed = {State::kMalformed, ""};
const Skimmed kNeedMore = {State::kNeedMore, ""};

// The whole message at once.
Skimmed Skim(MessageShape shape, const std::string& message) {
  ModelNameSkimmer skimmer(shape, message.size());
  skimmer.Feed(message);
  return {skimmer.state(), skimmer.model()};
}

// The first bytes of a message of `size` bytes.
Skimmed SkimPrefix(MessageShape shape, const std::string& prefix, size_t size) {
  ModelNameSkimmer skimmer(shape, size);
  skimmer.Feed(prefix);
  return {skimmer.state(), skimmer.model()};
}

std::string Varint(uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out.push_back(value | 0x80);
  out.push_back(value);
  return out;
}

// A field of any wire type: its tag, then `payload`.
std::string Field(uint32_t number, uint32_t type, const std::string& payload) {
  return Varint(number << 3 | type) + payload;
}
std::string Bytes(uint32_t number, const std::string& value) {
  return Field(number, 2, Varint(value.size()) + value);
}
std::string Group(uint32_t number, const std::string& inside) {
  return Field(number, 3, inside) + Field(number, 4, "");
}

TEST(ShapeOfTest, KnowsTheMethodsWhoseMessagesHaveOneModel) {
  for (const char* method : {"ModelInfer", "ModelStreamInfer"}) {
    EXPECT_EQ(ShapeOf(std::string("/inference.GRPCInferenceService/") + method),
              kOip);
  }
  for (const char* method :
       {"Predict", "Classify", "Regress", "GetModelMetadata"}) {
    EXPECT_EQ(
        ShapeOf(std::string("/tensorflow.serving.PredictionService/") + method),
        kTfs);
  }
  for (std::string_view path :
       {"", "/", "/inference.GRPCInferenceService/",
        "/inference.GRPCInferenceService/ServerLive",
        "/inference.GRPCInferenceService/ModelInfer/",
        "/inference.GRPCInferenceService/modelinfer",
        "inference.GRPCInferenceService/ModelInfer",
        "/tensorflow.serving.PredictionService/MultiInference",
        "/tensorflow.serving.ModelService/GetModelStatus"}) {
    EXPECT_EQ(ShapeOf(path), MessageShape::kUnknown) << path;
  }
}

// As clients write it: the name comes first and the tensors are not waited for.
TEST(ModelNameSkimmerTest, FindsTheNameBeforeTheTensors) {
  inference::ModelInferRequest infer;
  infer.set_model_name("ranker");
  infer.add_raw_input_contents(std::string(64 << 20, 'x'));
  const std::string message = infer.SerializeAsString();
  EXPECT_EQ(SkimPrefix(kOip, message.substr(0, 8), message.size()),
            Found("ranker"));
  tensorflow::serving::PredictRequest predict;
  predict.mutable_model_spec()->set_name("ranker");
  (*predict.mutable_inputs())["x"].set_tensor_content(std::string(9999, 'x'));
  const std::string other = predict.SerializeAsString();
  EXPECT_EQ(SkimPrefix(kTfs, other.substr(0, 10), other.size()),
            Found("ranker"));
}

// Tensor contents that look like names are skipped unread.
TEST(ModelNameSkimmerTest, FindsTheNameBehindTheTensors) {
  const std::string decoy = Bytes(1, "decoy");
  const std::string before =
      Bytes(7, decoy) + Bytes(5, decoy) + Field(9, 0, Varint(~uint64_t{0})) +
      Field(10, 1, "12345678") + Field(11, 5, "1234") + Group(12, decoy);
  EXPECT_EQ(Skim(kOip, before + Bytes(1, "ranker")), Found("ranker"));
  EXPECT_EQ(Skim(kTfs, before + Bytes(1, before + Bytes(1, "ranker") + before)),
            Found("ranker"));
  EXPECT_EQ(Skim(kOip, before), kAbsent);
  EXPECT_EQ(Skim(kTfs, before + Bytes(1, before)), kAbsent);
}

TEST(ModelNameSkimmerTest, TheLastNameWins) {
  EXPECT_EQ(Skim(kOip, Bytes(1, "a") + Bytes(3, "id") + Bytes(1, "b")),
            Found("b"));
  // Two names in one spec, two specs that merge, and one without a name.
  const std::string spec = Bytes(1, "a") + Bytes(1, "b");
  EXPECT_EQ(Skim(kTfs, Bytes(1, spec) + Bytes(1, Bytes(3, "signature"))),
            Found("b"));
  EXPECT_EQ(
      Skim(kTfs, Bytes(1, spec) + Bytes(2, "x") + Bytes(1, Bytes(1, "c"))),
      Found("c"));
}

// Present but empty is what the backend would see.
TEST(ModelNameSkimmerTest, AnEmptyNameIsAName) {
  EXPECT_EQ(Skim(kOip, Bytes(1, "")), Found(""));
  EXPECT_EQ(Skim(kOip, Bytes(1, "a") + Bytes(1, "")), Found(""));
  EXPECT_EQ(Skim(kTfs, Bytes(1, Bytes(1, ""))), Found(""));
  EXPECT_EQ(Skim(kTfs, Bytes(1, "")), kAbsent);
}

TEST(ModelNameSkimmerTest, AnEmptyMessageHasNoName) {
  EXPECT_EQ(Skim(kOip, ""), kAbsent);
  EXPECT_EQ(Skim(kTfs, ""), kAbsent);
  // Without a Feed: there is nothing to feed.
  EXPECT_EQ(ModelNameSkimmer(kOip, 0).state(), State::kAbsent);
}

TEST(ModelNameSkimmerTest, AnUnknownShapeHasNoName) {
  EXPECT_EQ(SkimPrefix(MessageShape::kUnknown, Bytes(1, "a"), 100), kAbsent);
}

// Field 1 of another wire type is an unknown field, in protobuf too.
TEST(ModelNameSkimmerTest, AnotherWireTypeIsNoName) {
  EXPECT_EQ(Skim(kOip, Field(1, 0, "\x05") + Field(1, 5, "abcd") +
                           Field(1, 1, "abcdefgh") + Group(1, Bytes(1, "x"))),
            kAbsent);
}

TEST(ModelNameSkimmerTest, WaitsForTheEndOfTheName) {
  const std::string message = Bytes(7, "tensor") + Bytes(1, "ranker");
  for (size_t size = 0; size < message.size(); ++size) {
    EXPECT_EQ(SkimPrefix(kOip, message.substr(0, size), message.size()),
              kNeedMore);
  }
}

TEST(ModelNameSkimmerTest, PartsOfAnySizeGiveTheSameName) {
  tensorflow::serving::PredictRequest predict;
  (*predict.mutable_inputs())["x"].set_tensor_content(std::string(300, 'x'));
  const std::string message = predict.SerializeAsString() +
                              Group(9, Bytes(1, "decoy")) +
                              Bytes(1, Bytes(3, "sig") + Bytes(1, "ranker"));
  for (size_t part = 1; part <= message.size(); ++part) {
    ModelNameSkimmer skimmer(kTfs, message.size());
    size_t fed = 0;
    while (skimmer.state() == State::kNeedMore) {
      ASSERT_LT(fed, message.size());
      skimmer.Feed(message.substr(fed, part));
      skimmer.Feed("");
      fed += part;
    }
    EXPECT_EQ(skimmer.model(), "ranker") << part;
  }
}

// A name that was found stays, whatever comes: the request is on its way.
TEST(ModelNameSkimmerTest, DamageAfterTheNameIsTheBackendsAffair) {
  EXPECT_EQ(Skim(kOip, Bytes(1, "a") + "\xff\xff"), Found("a"));
  ModelNameSkimmer skimmer(kOip, 100);
  EXPECT_EQ(skimmer.Feed(Bytes(1, "a")), State::kFound);
  EXPECT_EQ(skimmer.Feed(Bytes(1, "longer than a").substr(0, 5)),
            State::kFound);
  EXPECT_EQ(skimmer.model(), "a");
  EXPECT_EQ(skimmer.Feed(std::string(200, '\0')), State::kFound);
}

TEST(ModelNameSkimmerTest, BytesBeyondTheMessageAreIgnored) {
  ModelNameSkimmer skimmer(kOip, 3);
  EXPECT_EQ(skimmer.Feed(Bytes(2, "x") + Bytes(1, "next")), State::kAbsent);
  EXPECT_EQ(skimmer.Feed(Bytes(1, "next")), State::kAbsent);
}

TEST(ModelNameSkimmerTest, MessagesThatAreNoProtobuf) {
  const std::vector<std::string> messages = {
      std::string(1, '\0'),  // Field 0.
      "\x07",                // Wire type 7.
      "\x06",                // Wire type 6.
      "\x0a",                // A length is missing.
      "\x0a\x05"
      "abcd",                                         // A byte is missing.
      Field(2, 0, "\x80"),                            // A varint that goes on.
      Field(2, 0, std::string(10, '\x80') + "\x01"),  // Eleven bytes.
      Field(2, 2, "\xff\xff\xff\xff\xff\x01"),        // A length of six.
      "\x80\x80\x80\x80\x80\x01",                     // A tag of six.
      Field(2, 1, "1234567"),
      Field(2, 5, "123"),
      Field(2, 3, ""),               // A group without an end.
      Field(2, 4, ""),               // An end without a group.
      Field(2, 3, Field(3, 4, "")),  // The end of another group.
      "just some text",
  };
  for (const std::string& message : messages) {
    EXPECT_EQ(Skim(kOip, message), kMalformed) << message;
    EXPECT_EQ(Skim(kTfs, message), kMalformed) << message;
  }
}

// A length that reaches beyond the message is known to be wrong at once, not
// when 2 GiB have been waited for.
TEST(ModelNameSkimmerTest, ImpossibleLengthsAreMalformedAtOnce) {
  EXPECT_EQ(SkimPrefix(kOip, Field(7, 2, Varint(0x7fffffff)), 1000),
            kMalformed);
  EXPECT_EQ(SkimPrefix(kOip, Field(1, 2, Varint(998)), 1000), kMalformed);
  EXPECT_EQ(SkimPrefix(kOip, Field(1, 2, Varint(997)), 1000), kNeedMore);
}

// Fields of a model_spec that reach beyond it, though not beyond the message.
TEST(ModelNameSkimmerTest, TheSpecBoundsItsFields) {
  const std::string rest(100, 'x');
  const std::vector<std::string> specs = {
      Field(1, 2, Varint(10) + "abc"),
      Field(3, 1, "1234"),
      Field(4, 0, "\x80"),
      "\x80",
      Field(1, 2, ""),
      Field(3, 3, ""),
      Field(1, 2, "\x80"),
  };
  for (const std::string& spec : specs) {
    EXPECT_EQ(Skim(kTfs, Bytes(1, spec) + rest), kMalformed) << spec;
    EXPECT_EQ(Skim(kTfs, Bytes(1, spec)), kMalformed) << spec;
  }
  EXPECT_EQ(Skim(kTfs, Field(1, 2, Varint(10) + "abc")), kMalformed);
}

// The spec may be all of the message, or end with it.
TEST(ModelNameSkimmerTest, ASpecAtTheEnd) {
  EXPECT_EQ(Skim(kTfs, Bytes(1, Bytes(1, "a"))), Found("a"));
  EXPECT_EQ(Skim(kTfs, Bytes(2, "x") + Bytes(1, Bytes(3, "sig"))), kAbsent);
  EXPECT_EQ(Skim(kTfs, Bytes(1, Group(5, "")) + Bytes(1, Bytes(1, "a"))),
            Found("a"));
}

TEST(ModelNameSkimmerTest, GroupsNestToProtobufsLimit) {
  std::string nested;
  for (int i = 0; i < 100; ++i) nested = Group(2, nested);
  EXPECT_EQ(Skim(kOip, nested + Bytes(1, "a")), Found("a"));
  EXPECT_EQ(Skim(kOip, Group(2, nested) + Bytes(1, "a")), kMalformed);
}

// Written longer than they need be; protobuf takes both.
TEST(ModelNameSkimmerTest, LongSpellingsOfTagAndLength) {
  const std::string tag("\x8a\x80\x00", 3), length("\x81\x00", 2);
  EXPECT_EQ(Skim(kOip, tag + length + "a"), Found("a"));
}

}  // namespace
}  // namespace bandit::experiment

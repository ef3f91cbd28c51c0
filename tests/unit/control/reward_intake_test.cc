// SPDX-License-Identifier: Apache-2.0
#include "router/control/reward_intake.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "router/learning/request_notes.h"

namespace bandit::control {
namespace {

using learning::Outcome;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

class FakeSink : public learning::RewardSink {
 public:
  absl::Status Submit(std::vector<learning::Reward> rewards,
                      learning::RewardsDone done) override {
    if (!refusal.ok()) return refusal;
    taken = std::move(rewards);
    answer = std::move(done);
    return absl::OkStatus();
  }
  bool JoinsRequests() const override { return joins_requests; }
  void CountForged(size_t rewards) override { forged += rewards; }

  bool joins_requests = false;
  absl::Status refusal;
  std::vector<learning::Reward> taken;
  learning::RewardsDone answer;
  size_t forged = 0;
};

class RewardIntakeTest : public ::testing::Test {
 protected:
  std::string Token(uint64_t id, const experiment::TokenSigner& signer) {
    experiment::Decision decision;
    decision.experiment = 1;
    decision.epoch = 1;
    decision.id = id;
    std::string token;
    signer.Sign(decision, &token);
    return token;
  }
  void Add(const std::string& token, double value = 1,
           const std::string& metric = "") {
    v1::Reward* reward = request_.add_rewards();
    reward->set_decision(token);
    reward->set_value(value);
    reward->set_metric(metric);
  }
  void Record() {
    intake_.Record(request_, &response_,
                   [this](const absl::Status& status) { done_ = status; });
  }
  std::vector<int> Outcomes() {
    return {response_.outcomes().begin(), response_.outcomes().end()};
  }

  std::vector<std::pair<int, std::string>> Refusals() {
    std::vector<std::pair<int, std::string>> refusals;
    for (const v1::Refusal& refusal : response_.refusals()) {
      refusals.emplace_back(refusal.reward(), refusal.why());
    }
    return refusals;
  }

  experiment::TokenSigner signer_{"secret"};
  experiment::TokenSigner forger_{"guess"};
  FakeSink sink_;
  RewardIntake intake_{&signer_, &sink_};
  v1::RecordRequest request_;
  v1::RecordResponse response_;
  std::optional<absl::Status> done_;
};

TEST_F(RewardIntakeTest, ForgedTokensKeepTheirPlaceAndTheRestGoesOn) {
  Add(Token(1, forger_));
  Add(Token(2, signer_), 0.5, "rating");
  Add("");
  Add("not a token");
  Add(Token(3, signer_));
  Record();
  EXPECT_FALSE(done_.has_value());
  ASSERT_EQ(sink_.taken.size(), 2u);
  EXPECT_EQ(sink_.taken[0].decision.id, 2u);
  EXPECT_EQ(sink_.taken[0].metric, "rating");
  EXPECT_EQ(sink_.taken[0].value, 0.5);
  EXPECT_EQ(sink_.taken[1].decision.id, 3u);
  learning::Settled settled({Outcome::kLate, Outcome::kAccepted});
  settled.refusals = {{.reward = 0, .why = "too late"}};
  sink_.answer(settled);
  EXPECT_EQ(done_, absl::OkStatus());
  EXPECT_THAT(
      Refusals(),
      ElementsAre(Pair(0, HasSubstr("not signed with this router's token_key")),
                  Pair(1, "too late"), Pair(2, HasSubstr("names no decision")),
                  Pair(3, HasSubstr("not base64url"))));
  EXPECT_THAT(Outcomes(), ElementsAre(v1::REJECTED, v1::LATE, v1::REJECTED,
                                      v1::REJECTED, v1::ACCEPTED));
  EXPECT_EQ(sink_.forged, 3u);
}

TEST_F(RewardIntakeTest, WithNoGenuineTokenTheLearnerIsNotAsked) {
  sink_.refusal = absl::UnavailableError("should not be asked");
  Add("x");
  Record();
  EXPECT_EQ(done_, absl::OkStatus());
  EXPECT_THAT(Outcomes(), ElementsAre(v1::REJECTED));
  EXPECT_EQ(sink_.forged, 1u);
}

TEST_F(RewardIntakeTest, OfManyForgedTokensTheFirstAreExplained) {
  for (size_t i = 0; i < 2 * learning::kMostRefusals; ++i) Add("x");
  Record();
  EXPECT_EQ(Outcomes().size(), 2 * learning::kMostRefusals);
  EXPECT_EQ(Refusals().size(), learning::kMostRefusals);
  EXPECT_EQ(Refusals().back().first, int{learning::kMostRefusals} - 1);
}

TEST_F(RewardIntakeTest, ARequestIdIsRejectedWhereRequestsAreNotJoined) {
  request_.add_rewards()->set_request_id("abc");
  Record();
  EXPECT_THAT(Outcomes(), ElementsAre(v1::REJECTED));
  EXPECT_EQ(sink_.forged, 1u);
}

TEST_F(RewardIntakeTest, ARequestIdGoesOnWhereRequestsAreJoined) {
  sink_.joins_requests = true;
  Add("", 0.5, "rating");
  request_.mutable_rewards(0)->set_request_id("abc");
  Record();
  ASSERT_EQ(sink_.taken.size(), 1u);
  EXPECT_EQ(sink_.taken[0].request_id, "abc");
  EXPECT_EQ(sink_.taken[0].metric, "rating");
  EXPECT_EQ(sink_.taken[0].value, 0.5);
  sink_.answer(std::vector<Outcome>{Outcome::kUnknown});
  EXPECT_THAT(Outcomes(), ElementsAre(v1::UNKNOWN));
  EXPECT_EQ(sink_.forged, 0u);
}

TEST_F(RewardIntakeTest, ATokenCountsAndTheRequestIdBesideItDoesNot) {
  sink_.joins_requests = true;
  Add(Token(1, signer_));
  Add(Token(2, forger_));
  for (v1::Reward& reward : *request_.mutable_rewards()) {
    reward.set_request_id("abc");
  }
  Record();
  ASSERT_EQ(sink_.taken.size(), 1u);
  EXPECT_EQ(sink_.taken[0].decision.id, 1u);
  EXPECT_EQ(sink_.taken[0].request_id, "");
  sink_.answer(std::vector<Outcome>{Outcome::kAccepted});
  EXPECT_THAT(Outcomes(), ElementsAre(v1::ACCEPTED, v1::REJECTED));
}

TEST_F(RewardIntakeTest, ARequestIdThatNobodyKeepsIsRejected) {
  sink_.joins_requests = true;
  request_.add_rewards()->set_request_id(
      std::string(learning::kMaxRequestId + 1, 'x'));
  request_.add_rewards();
  request_.add_rewards()->set_request_id(
      std::string(learning::kMaxRequestId, 'x'));
  Record();
  ASSERT_EQ(sink_.taken.size(), 1u);
  sink_.answer(std::vector<Outcome>{Outcome::kAccepted});
  EXPECT_THAT(Outcomes(),
              ElementsAre(v1::REJECTED, v1::REJECTED, v1::ACCEPTED));
}

TEST_F(RewardIntakeTest, AnEmptyRequestHasAnEmptyAnswer) {
  Record();
  EXPECT_EQ(done_, absl::OkStatus());
  EXPECT_THAT(Outcomes(), IsEmpty());
  EXPECT_EQ(sink_.forged, 0u);
}

TEST_F(RewardIntakeTest, ARefusalIsPassedOnAndNothingOfItIsCounted) {
  sink_.refusal = absl::ResourceExhaustedError("full");
  Add(Token(1, signer_));
  Add("forged");
  Record();
  EXPECT_EQ(done_, absl::ResourceExhaustedError("full"));
  EXPECT_EQ(sink_.forged, 0u);
}

TEST_F(RewardIntakeTest, AFailedCommitIsPassedOnAndNothingOfItIsCounted) {
  Add(Token(1, signer_));
  Add("forged");
  Record();
  sink_.answer(absl::UnavailableError("disk"));
  EXPECT_EQ(done_, absl::UnavailableError("disk"));
  EXPECT_EQ(sink_.forged, 0u);
}

}  // namespace
}  // namespace bandit::control

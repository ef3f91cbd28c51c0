// SPDX-License-Identifier: Apache-2.0
// A learning side over a memory store, for tests of the control plane.
#ifndef BANDIT_TESTS_UNIT_CONTROL_CONTROL_FIXTURE_H_
#define BANDIT_TESTS_UNIT_CONTROL_CONTROL_FIXTURE_H_

#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "router/experiment/token.h"
#include "router/learning/learner.h"
#include "router/store/memory_store.h"
#include "tests/unit/learning/fake_worker.h"
#include "tests/unit/learning/faulty_store.h"
#include "tests/unit/learning/test_plan.h"

namespace bandit::testing {

class ControlFixture : public ::testing::Test {
 protected:
  ControlFixture() {
    ExperimentSpec spec{.metrics = {Rating(), Click()},
                        .features = 1,
                        .policy_name = "thompson",
                        .guardrails = {ErrorRule()}};
    plan_ = MakePlan({spec});
    auto created = learning::Learner::Create(
        std::make_unique<FaultyStore>(real_.get(), faults_), plan_, {},
        {.tick = absl::Milliseconds(1),
         .queue = 100,
         .silence_warning = absl::Minutes(5)},
        &clock_);
    EXPECT_TRUE(created.ok()) << created.status();
    learner_ = *std::move(created);
    worker_ = std::make_unique<FakeWorker>(learner_->snapshot());
  }
  ~ControlFixture() override { learner_->Stop(); }

  void StartLearner() { learner_->Start({worker_.get()}); }

  experiment::Decision MakeOne(uint64_t id, uint32_t arm = 0) {
    return MakeDecision(*plan_, 0, arm, absl::ToUnixMillis(clock_.Now()), id,
                        0.5, {1, 2});
  }
  std::string Token(uint64_t id, uint32_t arm = 0) {
    std::string token;
    signer_.Sign(MakeOne(id, arm), &token);
    return token;
  }

  FakeClock clock_;
  experiment::TokenSigner signer_{"a secret"};
  std::unique_ptr<store::StateStore> real_ = store::MakeMemoryStore();
  std::shared_ptr<Faults> faults_ = std::make_shared<Faults>();
  std::shared_ptr<const experiment::Plan> plan_;
  std::unique_ptr<learning::Learner> learner_;
  std::unique_ptr<FakeWorker> worker_;
};

}  // namespace bandit::testing

#endif  // BANDIT_TESTS_UNIT_CONTROL_CONTROL_FIXTURE_H_

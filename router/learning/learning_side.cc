// SPDX-License-Identifier: Apache-2.0
#include "router/learning/learning_side.h"

#include <sodium.h>

#include <utility>

#include "router/learning/epochs.h"
#include "router/store/state_store.h"

namespace bandit::learning {
namespace {

absl::Duration ToDuration(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) +
         absl::Nanoseconds(duration.nanos());
}

Learner::Options OptionsOf(const v1::RouterConfig& config) {
  return {.tick = ToDuration(config.learner().tick()),
          .queue = config.learner().queue(),
          .silence_warning = ToDuration(config.learner().silence_warning())};
}

absl::StatusOr<Learner::Compiled> Compile(const v1::RouterConfig& config,
                                          const ExperimentRecords& known) {
  ExperimentRecords records = DecideEpochs(config, known);
  auto plan = experiment::CompilePlan(config, EpochNumbers(records));
  if (!plan.ok()) return plan.status();
  return Learner::Compiled{.plan = *std::move(plan),
                           .records = std::move(records),
                           .options = OptionsOf(config)};
}

// The config's, or the one kept in the state, made once.
absl::StatusOr<std::string> TokenKey(const v1::RouterConfig& config,
                                     store::StateStore& store) {
  if (!config.token_key().empty()) return config.token_key();
  auto kept = store.TokenKey();
  if (!kept.ok()) return kept.status();
  if (kept->has_value()) return **kept;
  if (sodium_init() < 0) {
    return absl::InternalError("the system gives no random numbers");
  }
  std::string made(32, '\0');
  randombytes_buf(made.data(), made.size());
  auto transaction = store.Begin();
  if (!transaction.ok()) return transaction.status();
  if (auto s = (*transaction)->PutTokenKey(made); !s.ok()) return s;
  if (auto s = (*transaction)->Commit(); !s.ok()) return s;
  return made;
}

}  // namespace

absl::StatusOr<std::unique_ptr<LearningSide>> LearningSide::Open(
    const v1::RouterConfig& config, const Clock* clock) {
  auto store = store::Open(config.state());
  if (!store.ok()) return store.status();
  auto key = TokenKey(config, **store);
  if (!key.ok()) return key.status();
  auto known = (*store)->Experiments();
  if (!known.ok()) return known.status();
  auto compiled = Compile(config, *known);
  if (!compiled.ok()) return compiled.status();
  auto learner = Learner::Create(*std::move(store), compiled->plan,
                                 compiled->records, compiled->options, clock);
  if (!learner.ok()) return learner.status();
  return std::unique_ptr<LearningSide>(
      new LearningSide(experiment::TokenSigner(*key), *std::move(learner)));
}

absl::Status LearningSide::Adopt(const v1::RouterConfig& config) {
  return learner_->Adopt([&config](const ExperimentRecords& known) {
    return Compile(config, known);
  });
}

}  // namespace bandit::learning

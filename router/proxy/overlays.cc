// SPDX-License-Identifier: Apache-2.0
#include "router/proxy/overlays.h"

#include "router/proxy/worker_state.h"

namespace bandit::proxy {

bool Overlays::Match(const experiment::Plan& plan, http2::Headers headers,
                     std::optional<std::string_view> model) {
  return plan.overlays.MatchAll(headers, model, &matched_);
}

const experiment::Experiment* Overlays::Draw(Generation& generation,
                                             const http2::HeaderBlock& request,
                                             experiment::Places& places) {
  for (const size_t experiment : matched_) {
    if (used_ == choices_.size()) {
      choices_.push_back(std::make_unique<ArmChoice>(worker_));
    }
    if (!choices_[used_]->Draw(generation, experiment, request, places)) {
      return &generation.plan->experiments[experiment];
    }
    ++used_;
  }
  return nullptr;
}

template <typename Visit>
void Overlays::ForEach(const Visit& visit) const {
  // What a unit that is not in it gets must not undo what one that is in
  // another gets.
  for (const bool counted : {false, true}) {
    for (size_t i = 0; i < used_; ++i) {
      if (choices_[i]->counted() == counted) visit(*choices_[i]);
    }
  }
}

void Overlays::SetMetadata(http2::HeaderBlock* request) const {
  ForEach([&](const ArmChoice& choice) { choice.SetMetadata(request); });
}

std::optional<experiment::ModelOverride> Overlays::Model(
    std::optional<experiment::ModelOverride> model) const {
  ForEach([&](const ArmChoice& choice) {
    const auto& over = choice.arm().model;
    if (!over.has_value()) return;
    if (!model.has_value()) model.emplace();
    if (!over->name.empty()) model->name = over->name;
    if (!over->version.empty()) model->version = over->version;
  });
  return model;
}

void Overlays::AddHeaders(http2::HeaderBlock* block) {
  for (size_t i = 0; i < used_; ++i) choices_[i]->AddHeaders(block);
}

void Overlays::Finish(const learning::CallRecord& call) {
  for (size_t i = 0; i < used_; ++i) choices_[i]->Finish(call);
}

void Overlays::Reset() {
  for (size_t i = 0; i < used_; ++i) choices_[i]->Reset();
  used_ = 0;
  matched_.clear();
}

}  // namespace bandit::proxy

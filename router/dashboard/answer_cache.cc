// SPDX-License-Identifier: Apache-2.0
#include "router/dashboard/answer_cache.h"

#include <algorithm>
#include <utility>

namespace bandit::dashboard {
namespace {

constexpr size_t kMostKept = 64;
// How long one waits for another's answer. As a rule it takes milliseconds.
constexpr absl::Duration kPatience = absl::Milliseconds(500);

control::HttpAnswer Busy() {
  return {.status = 503,
          .type = "application/json",
          .body = R"({"code":"UNAVAILABLE","message":"the router is busy with )"
                  R"(other pages; ask again"})",
          .headers = {{"Retry-After", "1"}}};
}

}  // namespace

control::HttpAnswer AnswerCache::Get(
    const std::string& key, absl::Duration fresh,
    const std::function<control::HttpAnswer()>& make) {
  {
    absl::MutexLock lock(&mutex_);
    const auto is_fresh = [&] {
      mutex_.AssertHeld();
      const auto kept = kept_.find(key);
      return kept != kept_.end() && now_() - kept->second.made <= fresh;
    };
    const auto settled = [&] {
      mutex_.AssertHeld();
      const auto kept = kept_.find(key);
      const bool making = kept != kept_.end() && kept->second.making;
      return is_fresh() || (!making && making_ < most_);
    };
    const bool in_time =
        mutex_.AwaitWithTimeout(absl::Condition(&settled), kPatience);
    if (is_fresh()) return kept_[key].answer;
    if (!in_time) {
      const auto kept = kept_.find(key);
      return kept == kept_.end() || kept->second.made == absl::InfinitePast()
                 ? Busy()
                 : kept->second.answer;
    }
    MakeRoom();
    kept_[key].making = true;
    ++making_;
  }
  control::HttpAnswer answer = make();
  absl::MutexLock lock(&mutex_);
  --making_;
  kept_[key] = {.answer = answer, .made = now_(), .making = false};
  return answer;
}

void AnswerCache::MakeRoom() {
  while (kept_.size() >= kMostKept) {
    const auto oldest = std::min_element(
        kept_.begin(), kept_.end(), [](const auto& a, const auto& b) {
          // One that is being made stays.
          return std::pair(a.second.making, a.second.made) <
                 std::pair(b.second.making, b.second.made);
        });
    kept_.erase(oldest);
  }
}

}  // namespace bandit::dashboard

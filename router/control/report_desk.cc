// SPDX-License-Identifier: Apache-2.0
#include "router/control/report_desk.h"

#include <pthread.h>

#include <optional>
#include <utility>

#include "fmt/format.h"
#include "router/report/report.h"

namespace bandit::control {
namespace {

// People wait for reports: more than these at once are a mistake.
constexpr size_t kMostWaiting = 16;

}  // namespace

ReportDesk::ReportDesk(learning::Learner* learner, std::string version)
    : learner_(learner), version_(std::move(version)) {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "reports");
    Run();
  });
}

ReportDesk::~ReportDesk() {
  {
    absl::MutexLock lock(&mutex_);
    stop_ = true;
  }
  thread_.join();
}

void ReportDesk::Order(std::string experiment, Done done) {
  {
    absl::MutexLock lock(&mutex_);
    if (jobs_.size() < kMostWaiting) {
      jobs_.push_back(
          {.experiment = std::move(experiment), .done = std::move(done)});
      return;
    }
  }
  done(absl::ResourceExhaustedError(
      "too many reports are being made, ask again later"));
}

void ReportDesk::Run() {
  while (true) {
    Job job;
    {
      absl::MutexLock lock(&mutex_);
      const auto due = [this] {
        mutex_.AssertHeld();
        return stop_ || !jobs_.empty();
      };
      mutex_.Await(absl::Condition(&due));
      if (jobs_.empty()) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    job.done(Make(job.experiment));
  }
}

absl::StatusOr<v1::Report> ReportDesk::Make(const std::string& experiment) {
  std::optional<report::Input> input;
  const absl::Status looked = learner_->Inspect(
      [&](const learning::Ledger& ledger, const learning::View& view) {
        for (size_t e = 0; e < view.experiments.size(); ++e) {
          if (view.experiments[e].name != experiment) continue;
          input =
              report::TakeInput(ledger, e, view.experiments[e], view.learned);
        }
      });
  if (!looked.ok()) return looked;
  if (!input.has_value()) {
    return absl::NotFoundError(
        fmt::format("no experiment is named {}", experiment));
  }
  v1::Report report = report::MakeReport(*input);
  report.set_router_version(version_);
  return report;
}

}  // namespace bandit::control

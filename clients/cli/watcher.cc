// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/watcher.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "bandit/v1/admin.grpc.pb.h"

namespace bandit::cli {
namespace {

// A report takes the router some milliseconds an arm and metric.
constexpr absl::Duration kReportPause = absl::Seconds(5);

}  // namespace

Watcher::Watcher(RouterAddress router, Options options)
    : router_(std::move(router)), options_(std::move(options)) {
  if (pipe2(pipe_, O_CLOEXEC | O_NONBLOCK) != 0) std::abort();
  thread_ = std::thread([this] { Run(); });
}

Watcher::~Watcher() {
  {
    absl::MutexLock lock(&mutex_);
    stop_ = true;
    if (under_way_ != nullptr) under_way_->TryCancel();
  }
  thread_.join();
  for (const int end : pipe_) close(end);
}

std::deque<Watcher::Seen> Watcher::Take() {
  char bytes[64];
  while (read(pipe_[0], bytes, sizeof bytes) > 0) {
  }
  absl::MutexLock lock(&mutex_);
  return std::exchange(seen_, {});
}

void Watcher::Run() {
  absl::Time next = absl::Now();
  while (true) {
    Seen seen = LookOnce();
    next = std::max(next + options_.interval, absl::Now());
    absl::MutexLock lock(&mutex_);
    seen_.push_back(std::move(seen));
    const char byte = 0;
    // A full pipe is readable all the same.
    static_cast<void>(!write(pipe_[1], &byte, 1));
    mutex_.AwaitWithDeadline(absl::Condition(&stop_), next);
    if (stop_) return;
  }
}

Result Watcher::Ask(const Call& call) {
  return CallRouter(router_,
                    [&](const std::shared_ptr<grpc::Channel>& channel,
                        grpc::ClientContext* context) -> grpc::Status {
                      {
                        absl::MutexLock lock(&mutex_);
                        if (stop_) return grpc::Status::CANCELLED;
                        under_way_ = context;
                      }
                      grpc::Status status = call(channel, context);
                      absl::MutexLock lock(&mutex_);
                      under_way_ = nullptr;
                      return status;
                    });
}

Watcher::Seen Watcher::LookOnce() {
  Seen seen;
  v1::GetStatusRequest request;
  request.set_experiment(options_.experiment);
  v1::RouterStatus status;
  seen.result = Ask([&](const std::shared_ptr<grpc::Channel>& channel,
                        grpc::ClientContext* context) {
    return v1::Admin::NewStub(channel)->GetStatus(context, request, &status);
  });
  seen.look.time = absl::Now();
  if (seen.result.code == ExitCode::kOk && status.version().empty()) {
    seen.result = NoRouter(router_);
  }
  if (seen.result.code != ExitCode::kOk) {
    seen.look.failure = seen.result.error;
    if (seen.look.failure.ends_with('\n')) seen.look.failure.pop_back();
    return seen;
  }
  if (options_.reports && seen.look.time >= next_reports_) {
    for (const v1::ExperimentStatus& e : status.experiments()) {
      v1::GetReportRequest asked;
      asked.set_experiment(e.name());
      v1::Report report;
      const Result result =
          Ask([&](const std::shared_ptr<grpc::Channel>& channel,
                  grpc::ClientContext* context) {
            return v1::Admin::NewStub(channel)->GetReport(context, asked,
                                                          &report);
          });
      // Without one the view has a little less in it.
      if (result.code == ExitCode::kOk) {
        seen.look.reports[e.name()] = std::move(report);
      }
    }
    next_reports_ = absl::Now() + kReportPause;
  }
  seen.look.status = std::move(status);
  return seen;
}

}  // namespace bandit::cli

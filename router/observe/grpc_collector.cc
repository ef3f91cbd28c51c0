// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <grpcpp/create_channel.h>

#include <algorithm>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "opentelemetry/trace_service.grpc.pb.h"
#include "router/observe/code_name.h"
#include "router/observe/collector.h"

namespace bandit::observe {
namespace {

constexpr int kMostBackoffMs = 10'000;

// OTLP's list; RESOURCE_EXHAUSTED is there for collectors that say when to come
// again, and all of ours come again later.
bool IsTransient(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::CANCELLED:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
    case grpc::StatusCode::ABORTED:
    case grpc::StatusCode::OUT_OF_RANGE:
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::DATA_LOSS:
      return true;
    default:
      return false;
  }
}

Collector::Answer AnswerOf(const grpc::Status& status,
                           const otlp::ExportTraceServiceResponse& response) {
  using Kind = Collector::Answer::Kind;
  if (status.ok()) {
    const auto& partial = response.partial_success();
    return {.kind = Kind::kTaken,
            .rejected = static_cast<uint64_t>(
                std::max<int64_t>(partial.rejected_spans(), 0)),
            .why = partial.error_message()};
  }
  return {.kind = IsTransient(status.error_code()) ? Kind::kTryLater
                                                   : Kind::kRefused,
          .why = fmt::format("{}: {}", CodeName(status.error_code()),
                             status.error_message())};
}

class GrpcCollectorClient : public Collector {
 public:
  explicit GrpcCollectorClient(const std::string& address) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kMostBackoffMs);
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    // Another config's channel to the same address would share its fate.
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    stub_ = otlp::TraceService::NewStub(grpc::CreateCustomChannel(
        address, grpc::InsecureChannelCredentials(), arguments));
  }

  ~GrpcCollectorClient() override {
    absl::MutexLock lock(&mutex_);
    if (context_ != nullptr) context_->TryCancel();
    AwaitCallback();
  }

  void Send(const otlp::ExportTraceServiceRequest& request,
            absl::Duration timeout, std::function<void(Answer)> done) override {
    {
      absl::MutexLock lock(&mutex_);
      // The last answer is there before its callback has quite ended.
      AwaitCallback();
      busy_ = true;
      context_ = std::make_unique<grpc::ClientContext>();
      context_->set_deadline(absl::ToChronoTime(absl::Now() + timeout));
    }
    response_.Clear();
    stub_->async()->Export(
        context_.get(), &request, &response_,
        [this, done = std::move(done)](const grpc::Status& status) {
          done(AnswerOf(status, response_));
          absl::MutexLock lock(&mutex_);
          busy_ = false;
        });
  }

 private:
  void AwaitCallback() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    mutex_.Await(absl::Condition(
        +[](bool* busy) { return !*busy; }, &busy_));
  }

  std::unique_ptr<otlp::TraceService::Stub> stub_;
  std::unique_ptr<grpc::ClientContext> context_;
  otlp::ExportTraceServiceResponse response_;
  absl::Mutex mutex_;
  // A call is under way: its callback has not ended.
  bool busy_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace

std::unique_ptr<Collector> GrpcCollector(const std::string& address) {
  return std::make_unique<GrpcCollectorClient>(address);
}

}  // namespace bandit::observe

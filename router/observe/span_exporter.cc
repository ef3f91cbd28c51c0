// SPDX-License-Identifier: Apache-2.0
#include "router/observe/span_exporter.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "opentelemetry/trace_service.pb.h"
#include "router/observe/span.h"

namespace bandit::observe {

// A request, and where its spans are.
class SpanExporter::Batch {
 public:
  explicit Batch(const Source& source) {
    otlp::ResourceSpans* const resource = request_.add_resource_spans();
    const auto attribute = [&](const char* key, const std::string& value) {
      otlp::KeyValue* const added =
          resource->mutable_resource()->add_attributes();
      added->set_key(key);
      added->mutable_value()->set_string_value(value);
    };
    attribute("service.name", source.service);
    attribute("service.version", source.version);
    otlp::ScopeSpans* const scope = resource->add_scope_spans();
    scope->mutable_scope()->set_name("bandit-router");
    scope->mutable_scope()->set_version(source.version);
  }

  int size() const {
    return request_.resource_spans(0).scope_spans(0).spans_size();
  }
  otlp::Span* Add() { return spans()->Add(); }
  void Clear() { spans()->Clear(); }
  // Moves the first spans of `other` here, at most `most`.
  void Take(Batch& other, int most) {
    const int count = std::min(most, other.size());
    for (int i = 0; i < count; ++i) {
      spans()->Add()->Swap(other.spans()->Mutable(i));
    }
    other.spans()->DeleteSubrange(0, count);
  }
  const otlp::ExportTraceServiceRequest& request() const { return request_; }

 private:
  google::protobuf::RepeatedPtrField<otlp::Span>* spans() {
    return request_.mutable_resource_spans(0)
        ->mutable_scope_spans(0)
        ->mutable_spans();
  }

  otlp::ExportTraceServiceRequest request_;
};

SpanExporter::SpanExporter(std::unique_ptr<Collector> collector,
                           const Source& source, uint64_t seed,
                           Tally::Results* tally)
    : tally_(tally),
      random_(seed),
      waiting_(std::make_unique<Batch>(source)),
      sending_(std::make_unique<Batch>(source)),
      collector_(std::move(collector)) {}

SpanExporter::~SpanExporter() {
  collector_.reset();
  TakeAnswer(0);
  tally_->failed.Add(static_cast<uint64_t>(sending_->size()) +
                     static_cast<uint64_t>(waiting_->size()));
}

void SpanExporter::Add(const Call& call, int64_t now_ns) {
  if (waiting_->size() >= kQueue) {
    tally_->dropped.Add(1);
    return;
  }
  if (waiting_->size() == 0) waiting_since_ns_ = now_ns;
  FillSpan(call, waiting_->Add());
}

void SpanExporter::Step(int64_t now_ns) {
  TakeAnswer(now_ns);
  if (in_flight_ || now_ns < next_try_ns_) return;
  const bool due =
      waiting_->size() >= kBatch ||
      (waiting_->size() > 0 && now_ns - waiting_since_ns_ >= kLingerNs);
  if (sending_->size() == 0 && due) NextBatch();
  if (sending_->size() > 0) Send(kTimeout);
}

void SpanExporter::Flush(absl::Duration patience) {
  const absl::Time deadline = absl::Now() + patience;
  while (true) {
    if (!in_flight_) {
      if (sending_->size() == 0) NextBatch();
      const absl::Duration left = deadline - absl::Now();
      if (sending_->size() == 0 || left <= absl::ZeroDuration()) return;
      Send(left);
    }
    {
      absl::MutexLock lock(&mutex_);
      mutex_.AwaitWithDeadline(absl::Condition(this, &SpanExporter::answered),
                               deadline);
      if (!answer_.has_value()) return;
    }
    TakeAnswer(0);
    // It would not take the next one either.
    if (sending_->size() > 0) return;
  }
}

// What stays behind is as old as what goes: it follows at once.
void SpanExporter::NextBatch() {
  sending_->Take(*waiting_, kBatch);
  tries_ = 0;
}

void SpanExporter::Send(absl::Duration timeout) {
  in_flight_ = true;
  ++tries_;
  collector_->Send(sending_->request(), timeout, [this](Collector::Answer a) {
    absl::MutexLock lock(&mutex_);
    answer_ = std::move(a);
  });
}

void SpanExporter::TakeAnswer(int64_t now_ns) {
  std::optional<Collector::Answer> answer;
  {
    absl::MutexLock lock(&mutex_);
    answer.swap(answer_);
  }
  if (!answer.has_value()) return;
  in_flight_ = false;
  OnAnswer(*answer, now_ns);
}

void SpanExporter::OnAnswer(const Collector::Answer& answer, int64_t now_ns) {
  using Kind = Collector::Answer::Kind;
  Say(answer.why);
  const auto sent = static_cast<uint64_t>(sending_->size());
  switch (answer.kind) {
    case Kind::kTaken:
      failures_ = 0;
      EndBatch(sent - std::min(answer.rejected, sent));
      return;
    case Kind::kRefused:
      EndBatch(0);
      return;
    case Kind::kTryLater:
      next_try_ns_ = now_ns + Backoff();
      if (tries_ >= kTries) EndBatch(0);
      return;
  }
}

void SpanExporter::EndBatch(uint64_t taken) {
  tally_->done.Add(taken);
  tally_->failed.Add(static_cast<uint64_t>(sending_->size()) - taken);
  sending_->Clear();
}

int64_t SpanExporter::Backoff() {
  const int64_t base = kFirstBackoffNs << std::min(failures_++, 5);
  // Between 0.75 and 1.25 of it.
  const double spread =
      0.75 + 0.5 * static_cast<double>(random_() >> 11) * 0x1p-53;
  return static_cast<int64_t>(
      static_cast<double>(std::min(base, kMostBackoffNs)) * spread);
}

// One line when trouble begins, one when it ends.
void SpanExporter::Say(const std::string& trouble) {
  if (trouble_.empty() && !trouble.empty()) {
    spdlog::warn("the collector does not take spans: {}", trouble);
  } else if (!trouble_.empty() && trouble.empty()) {
    spdlog::info("the collector takes spans again");
  }
  trouble_ = trouble;
}

}  // namespace bandit::observe

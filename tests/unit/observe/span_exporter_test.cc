// SPDX-License-Identifier: Apache-2.0
// The exporter against a collector that answers as the test says. Time is the
// test's.
#include "router/observe/span_exporter.h"

#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "opentelemetry/trace_service.pb.h"
#include "tests/unit/observe/calls.h"

namespace bandit::observe {
namespace {

using Kind = Collector::Answer::Kind;

constexpr int64_t kSecond = 1'000'000'000;

class FakeCollector : public Collector {
 public:
  // What outlives it.
  struct Calls {
    std::vector<otlp::ExportTraceServiceRequest> requests;
    std::function<void(Answer)> done;  // Of the one under way.
    // Answers at once with this.
    std::optional<Answer> always;
  };

  explicit FakeCollector(Calls* calls) : calls_(calls) {}
  ~FakeCollector() override {
    Answer({.kind = Kind::kTryLater, .why = "CANCELLED"});
  }

  void Send(const otlp::ExportTraceServiceRequest& request, absl::Duration,
            std::function<void(Collector::Answer)> done) override {
    calls_->requests.push_back(request);
    calls_->done = std::move(done);
    if (calls_->always.has_value()) Answer(*calls_->always);
  }

  void Answer(const Collector::Answer& answer) {
    if (calls_->done) std::exchange(calls_->done, nullptr)(answer);
  }

 private:
  Calls* calls_;
};

class SpanExporterTest : public ::testing::Test {
 protected:
  SpanExporterTest() {
    auto collector = std::make_unique<FakeCollector>(&calls_);
    collector_ = collector.get();
    exporter_ = std::make_unique<SpanExporter>(
        std::move(collector),
        SpanExporter::Source{.service = "router", .version = "1.2.3"},
        /*seed=*/5, &tally_);
  }

  void Add(int count, int64_t now_ns) {
    for (int i = 0; i < count; ++i) {
      exporter_->Add(bandit::testing::FullCall(), now_ns);
    }
  }
  void Answer(Kind kind, uint64_t rejected = 0) {
    collector_->Answer(
        {.kind = kind,
         .rejected = rejected,
         .why = kind == Kind::kTaken && rejected == 0 ? "" : "why"});
  }
  int SpansIn(size_t request) {
    return calls_.requests.at(request)
        .resource_spans(0)
        .scope_spans(0)
        .spans_size();
  }

  FakeCollector::Calls calls_;
  FakeCollector* collector_;
  Tally::Results tally_;
  std::unique_ptr<SpanExporter> exporter_;
};

TEST_F(SpanExporterTest, AFewSpansWaitForCompany) {
  Add(3, 0);
  exporter_->Step(SpanExporter::kLingerNs - 1);
  EXPECT_TRUE(calls_.requests.empty());
  exporter_->Step(SpanExporter::kLingerNs);
  ASSERT_EQ(calls_.requests.size(), 1u);
  EXPECT_EQ(SpansIn(0), 3);
  Answer(Kind::kTaken);
  exporter_->Step(SpanExporter::kLingerNs + 1);
  EXPECT_EQ(tally_.done.value(), 3u);
  EXPECT_EQ(calls_.requests.size(), 1u);
}

TEST_F(SpanExporterTest, AFullBatchDoesNotWait) {
  Add(SpanExporter::kBatch + 1, 0);
  exporter_->Step(1);
  ASSERT_EQ(calls_.requests.size(), 1u);
  EXPECT_EQ(SpansIn(0), SpanExporter::kBatch);
}

TEST_F(SpanExporterTest, SaysWhoIsSpeaking) {
  Add(1, 0);
  exporter_->Step(kSecond);
  const auto& resource = calls_.requests.at(0).resource_spans(0);
  const auto& attributes = resource.resource().attributes();
  ASSERT_EQ(attributes.size(), 2);
  EXPECT_EQ(attributes[0].key(), "service.name");
  EXPECT_EQ(attributes[0].value().string_value(), "router");
  EXPECT_EQ(attributes[1].value().string_value(), "1.2.3");
  EXPECT_EQ(resource.scope_spans(0).scope().name(), "bandit-router");
}

TEST_F(SpanExporterTest, OneBatchIsOnItsWayAtATime) {
  Add(2 * SpanExporter::kBatch, 0);
  exporter_->Step(1);
  exporter_->Step(2);
  EXPECT_EQ(calls_.requests.size(), 1u);
  Answer(Kind::kTaken);
  exporter_->Step(3);
  EXPECT_EQ(calls_.requests.size(), 2u);
}

TEST_F(SpanExporterTest, ABatchIsTriedAgainAfterAGrowingBackoffThenGivenUp) {
  Add(2, 0);
  int64_t now = kSecond;
  exporter_->Step(now);
  int64_t last_gap = 0;
  for (int tries = 1; tries < SpanExporter::kTries; ++tries) {
    ASSERT_EQ(calls_.requests.size(), static_cast<size_t>(tries));
    Answer(Kind::kTryLater);
    const int64_t failed_at = now;
    exporter_->Step(now);
    while (calls_.requests.size() == static_cast<size_t>(tries)) {
      now += kSecond / 20;
      exporter_->Step(now);
    }
    EXPECT_EQ(SpansIn(static_cast<size_t>(tries)), 2);
    const int64_t gap = now - failed_at;
    EXPECT_GT(gap, last_gap) << tries;
    EXPECT_LE(gap, SpanExporter::kMostBackoffNs * 5 / 4 + kSecond / 20);
    last_gap = gap;
  }
  Answer(Kind::kTryLater);
  exporter_->Step(now);
  EXPECT_EQ(tally_.failed.value(), 2u);
  // The collector is left in peace by the next batch, too.
  Add(SpanExporter::kBatch, now);
  exporter_->Step(now + kSecond);
  EXPECT_EQ(calls_.requests.size(), static_cast<size_t>(SpanExporter::kTries));
  exporter_->Step(now + 2 * SpanExporter::kMostBackoffNs);
  EXPECT_EQ(calls_.requests.size(),
            static_cast<size_t>(SpanExporter::kTries) + 1);
}

TEST_F(SpanExporterTest, WhatIsRefusedIsNotSentAgain) {
  Add(2, 0);
  exporter_->Step(kSecond);
  Answer(Kind::kRefused);
  exporter_->Step(2 * kSecond);
  EXPECT_EQ(calls_.requests.size(), 1u);
  EXPECT_EQ(tally_.failed.value(), 2u);
}

TEST_F(SpanExporterTest, OfABatchTakenInPartTheRestFailed) {
  Add(5, 0);
  exporter_->Step(kSecond);
  Answer(Kind::kTaken, /*rejected=*/2);
  exporter_->Step(2 * kSecond);
  EXPECT_EQ(tally_.done.value(), 3u);
  EXPECT_EQ(tally_.failed.value(), 2u);
}

TEST_F(SpanExporterTest, ACollectorThatClaimsTooMuchIsNotBelieved) {
  Add(5, 0);
  exporter_->Step(kSecond);
  Answer(Kind::kTaken, /*rejected=*/1000);
  exporter_->Step(2 * kSecond);
  EXPECT_EQ(tally_.done.value(), 0u);
  EXPECT_EQ(tally_.failed.value(), 5u);
}

TEST_F(SpanExporterTest, WhatWaitsIsBoundedWhileTheCollectorSleeps) {
  Add(SpanExporter::kBatch, 0);
  exporter_->Step(1);
  Add(SpanExporter::kQueue + 7, 2);
  EXPECT_EQ(tally_.dropped.value(), 7u);
}

TEST_F(SpanExporterTest, FlushSendsAllThatWaits) {
  calls_.always = Collector::Answer();
  Add(SpanExporter::kBatch + 3, 0);
  exporter_->Flush(absl::Seconds(10));
  EXPECT_EQ(calls_.requests.size(), 2u);
  EXPECT_EQ(tally_.done.value(),
            static_cast<uint64_t>(SpanExporter::kBatch) + 3);
}

TEST_F(SpanExporterTest, FlushDoesNotInsist) {
  calls_.always = Collector::Answer{.kind = Kind::kTryLater, .why = "away"};
  Add(SpanExporter::kBatch + 3, 0);
  exporter_->Flush(absl::Seconds(10));
  EXPECT_EQ(calls_.requests.size(), 1u);
  exporter_.reset();
  EXPECT_EQ(tally_.failed.value(),
            static_cast<uint64_t>(SpanExporter::kBatch) + 3);
}

TEST_F(SpanExporterTest, FlushDoesNotWaitForEver) {
  Add(1, 0);
  exporter_->Flush(absl::Milliseconds(1));
  exporter_.reset();  // Ends the call that is under way.
  EXPECT_EQ(tally_.failed.value(), 1u);
}

}  // namespace
}  // namespace bandit::observe

// SPDX-License-Identifier: Apache-2.0
// The thread between workers and the outside, with a real file and a real
// collector.
#include "router/observe/observer.h"

#include <grpcpp/server_builder.h>

#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "opentelemetry/trace_service.grpc.pb.h"
#include "tests/unit/observe/calls.h"
#include "tests/unit/store/temporary_directory.h"

namespace bandit::observe {
namespace {

class CollectorServer : public otlp::TraceService::Service {
 public:
  CollectorServer() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                             &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  int AwaitSpans(int count) {
    absl::MutexLock lock(&mutex_);
    const auto enough = [&]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
      return spans_ >= count;
    };
    mutex_.Await(absl::Condition(&enough));
    return spans_;
  }
  int spans() {
    absl::MutexLock lock(&mutex_);
    return spans_;
  }

 private:
  grpc::Status Export(grpc::ServerContext*,
                      const otlp::ExportTraceServiceRequest* request,
                      otlp::ExportTraceServiceResponse*) override {
    absl::MutexLock lock(&mutex_);
    for (const auto& resource : request->resource_spans()) {
      for (const auto& scope : resource.scope_spans()) {
        spans_ += scope.spans_size();
      }
    }
    return grpc::Status::OK;
  }

  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
  absl::Mutex mutex_;
  // Received.
  int spans_ ABSL_GUARDED_BY(mutex_) = 0;
};

class ObserverTest : public ::testing::Test {
 protected:
  ObserverTest()
      : observer_(Observer::Options{.version = "1.2.3",
                                    .seed = 1,
                                    .unix_ns = [] { return int64_t{0}; }}),
        tap_(observer_.AddTap()) {}

  void Use() {
    auto setup = observer_.Open(config_);
    ASSERT_TRUE(setup.ok()) << setup.status();
    observer_.Use(*std::move(setup));
  }
  void LogTo(const std::string& name) {
    config_.mutable_access_log()->set_path(files_.File(name));
    config_.mutable_access_log()->set_sample(1);
  }
  void TraceTo(const std::string& address) {
    config_.mutable_tracing()->set_collector(address);
    config_.mutable_tracing()->set_sample(1);
    config_.mutable_tracing()->set_service_name("router");
  }
  std::vector<std::string> Lines(const std::string& name) {
    std::vector<std::string> lines;
    std::ifstream file(files_.File(name));
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }

  bandit::testing::TemporaryDirectory files_;
  v1::RouterConfig config_;
  Observer observer_;
  Tap* tap_;
};

TEST_F(ObserverTest, WithNothingAskedForNothingRuns) {
  Use();
  EXPECT_FALSE(tap_->on());
  observer_.Stop();
}

TEST_F(ObserverTest, WritesEveryCallOfEveryWorkerByTheTimeItStops) {
  Tap* const other = observer_.AddTap();
  LogTo("access.log");
  Use();
  std::thread worker([&] {
    for (int i = 0; i < 1000; ++i) other->Push(bandit::testing::FullCall());
  });
  for (int i = 0; i < 1000; ++i) tap_->Push(bandit::testing::FullCall());
  worker.join();
  observer_.Stop();
  const auto lines = Lines("access.log");
  EXPECT_EQ(lines.size(), 2000u);
  for (const std::string& line : lines) {
    ASSERT_EQ(nlohmann::json::parse(line)["arm"], "candidate");
  }
  EXPECT_EQ(observer_.tally().lines.done.value(), 2000u);
}

TEST_F(ObserverTest, ExportsSpansWhileItRuns) {
  CollectorServer collector;
  TraceTo(collector.address());
  Use();
  for (int i = 0; i < 3; ++i) tap_->Push(bandit::testing::FullCall());
  EXPECT_EQ(collector.AwaitSpans(3), 3);
  observer_.Stop();
  EXPECT_EQ(observer_.tally().spans.done.value(), 3u);
}

TEST_F(ObserverTest, WhatWaitsIsExportedAtTheEnd) {
  CollectorServer collector;
  TraceTo(collector.address());
  Use();
  tap_->Push(bandit::testing::FullCall());
  observer_.Stop();
  EXPECT_EQ(collector.spans(), 1);
}

TEST_F(ObserverTest, ACollectorThatIsDownHoldsNothingUp) {
  TraceTo("127.0.0.1:1");
  LogTo("access.log");
  Use();
  for (int i = 0; i < 100; ++i) tap_->Push(bandit::testing::FullCall());
  observer_.Stop();
  EXPECT_EQ(Lines("access.log").size(), 100u);
  EXPECT_EQ(observer_.tally().spans.failed.value(), 100u);
}

TEST_F(ObserverTest, AReloadOpensTheFileAgainAndCanTurnItOff) {
  LogTo("access.log");
  Use();
  tap_->Push(bandit::testing::FullCall());
  LogTo("other.log");
  Use();
  observer_.Stop();
  // Whichever of the two had it: it is written once.
  EXPECT_EQ(Lines("access.log").size() + Lines("other.log").size(), 1u);
}

TEST_F(ObserverTest, TurnedOffByAReloadItIsOff) {
  LogTo("access.log");
  Use();
  config_.clear_access_log();
  Use();
  EXPECT_FALSE(tap_->on());
  observer_.Stop();
}

TEST_F(ObserverTest, ALogThatCannotBeOpenedChangesNothing) {
  LogTo("access.log");
  Use();
  LogTo("no/such/directory/access.log");
  EXPECT_FALSE(observer_.Open(config_).ok());
  tap_->Push(bandit::testing::FullCall());
  observer_.Stop();
  EXPECT_EQ(Lines("access.log").size(), 1u);
}

// No id twice: neither from one worker nor from two.
TEST_F(ObserverTest, WorkersDrawDifferentIds) {
  Tap* const other = observer_.AddTap();
  EXPECT_NE(tap_->Random(), other->Random());
}

}  // namespace
}  // namespace bandit::observe

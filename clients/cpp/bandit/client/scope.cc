// SPDX-License-Identifier: Apache-2.0
#include "bandit/client/scope.h"

#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace bandit::client {

struct Answers::Record {
  explicit Record(Subject s) : subject(std::move(s)) {}

  const Subject subject;
  absl::Mutex mutex;
  std::vector<Decisions> all ABSL_GUARDED_BY(mutex);
};

Answers::Answers(std::shared_ptr<Record> record) : record_(std::move(record)) {}

Decision Answers::decision() const {
  Decisions last = decisions();
  return last.empty() ? Decision() : std::move(last.front());
}

Decisions Answers::decisions() const {
  absl::MutexLock lock(&record_->mutex);
  return record_->all.empty() ? Decisions() : record_->all.back();
}

std::vector<Decisions> Answers::all() const {
  absl::MutexLock lock(&record_->mutex);
  return record_->all;
}

// One call of a scope.
class ScopeInterceptor final : public grpc::experimental::Interceptor {
 public:
  // The factory's side: the thread's scope, or none.
  static ScopeInterceptor* OfThisThread() {
    return current == nullptr ? nullptr : new ScopeInterceptor(current);
  }
  static std::shared_ptr<Answers::Record> Exchange(
      std::shared_ptr<Answers::Record> record) {
    return std::exchange(current, std::move(record));
  }

  void Intercept(
      grpc::experimental::InterceptorBatchMethods* methods) override {
    using Point = grpc::experimental::InterceptionHookPoints;
    const auto at = [&](Point point) {
      return methods->QueryInterceptionHookPoint(point);
    };
    if (at(Point::PRE_SEND_INITIAL_METADATA)) {
      auto* metadata = methods->GetSendInitialMetadata();
      for (const auto& [key, value] : record_->subject.metadata()) {
        metadata->emplace(key, value);
      }
    }
    if (at(Point::POST_RECV_INITIAL_METADATA)) {
      Read(methods->GetRecvInitialMetadata());
    }
    if (at(Point::POST_RECV_STATUS)) {
      Read(methods->GetRecvTrailingMetadata());
      // An answer without an experiment is an answer too.
      if (!answered_) Note({});
    }
    methods->Proceed();
  }

 private:
  explicit ScopeInterceptor(std::shared_ptr<Answers::Record> record)
      : record_(std::move(record)) {}

  void Read(const Metadata* metadata) {
    if (answered_ || metadata == nullptr) return;
    Decisions decisions = ReadDecisions(*metadata);
    if (!decisions.empty()) Note(std::move(decisions));
  }

  void Note(Decisions decisions) {
    answered_ = true;
    absl::MutexLock lock(&record_->mutex);
    record_->all.push_back(std::move(decisions));
  }

  static thread_local std::shared_ptr<Answers::Record> current;

  const std::shared_ptr<Answers::Record> record_;
  // gRPC runs the batches of a call one after another.
  bool answered_ = false;
};

thread_local std::shared_ptr<Answers::Record> ScopeInterceptor::current;

Scope::Scope(Subject subject)
    : answers_(std::make_shared<Answers::Record>(std::move(subject))),
      outer_(ScopeInterceptor::Exchange(answers_.record_)) {}

Scope::~Scope() { ScopeInterceptor::Exchange(std::move(outer_)); }

const Subject& Scope::subject() const { return answers_.record_->subject; }

namespace {

class Factory final
    : public grpc::experimental::ClientInterceptorFactoryInterface {
 public:
  grpc::experimental::Interceptor* CreateClientInterceptor(
      grpc::experimental::ClientRpcInfo* /*info*/) override {
    return ScopeInterceptor::OfThisThread();
  }
};

}  // namespace

std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface>
MakeInterceptorFactory() {
  return std::make_unique<Factory>();
}

}  // namespace bandit::client

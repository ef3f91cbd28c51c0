// SPDX-License-Identifier: Apache-2.0
// Calls that are made for one subject, and what was decided for them.
#ifndef BANDIT_CLIENT_SCOPE_H_
#define BANDIT_CLIENT_SCOPE_H_

#include <grpcpp/support/client_interceptor.h>

#include <memory>
#include <vector>

#include "bandit/client/decision.h"
#include "bandit/client/subject.h"

namespace bandit::client {

// The answers to a scope's calls so far. Copies see the same; it may outlive
// the scope, as an asynchronous call does.
// Thread-safety: all calls may overlap.
class Answers {
 public:
  // The main decision of the answer that came last; an empty one if none did or
  // it was in no experiment.
  Decision decision() const;
  // All decisions of the answer that came last.
  Decisions decisions() const;
  // Those of every answer, in the order in which they came.
  std::vector<Decisions> all() const;

 private:
  friend class Scope;
  friend class ScopeInterceptor;
  struct Record;
  explicit Answers(std::shared_ptr<Record> record);
  std::shared_ptr<Record> record_;
};

// While it lives, calls that its thread begins on a channel with the
// interceptor take the subject's metadata along. Scopes nest; the innermost
// counts alone.
//
//   Scope scope(Subject().Unit("user-7"));
//   grpc::Status status = stub->ModelInfer(&context, request, &response);
//   rewards.Send(scope.decision(), "click", 1);
//
// Thread-safety: begins and ends in one thread, the scopes of which end in the
// reverse order; the other calls may overlap.
class Scope {
 public:
  explicit Scope(Subject subject);
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

  const Subject& subject() const;
  Answers answers() const { return answers_; }
  Decision decision() const { return answers_.decision(); }
  Decisions decisions() const { return answers_.decisions(); }

 private:
  Answers answers_;
  std::shared_ptr<Answers::Record> outer_;
};

// For a channel of one's own:
// grpc::experimental::CreateCustomChannelWithInterceptors(). Calls that begin
// outside of any scope pass as they are, and pay nothing.
std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface>
MakeInterceptorFactory();

}  // namespace bandit::client

#endif  // BANDIT_CLIENT_SCOPE_H_

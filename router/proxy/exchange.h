// SPDX-License-Identifier: Apache-2.0
// One proxied call: a stream of a client's connection, the tries at a backend,
// and what passes between them.
//
//   request headers ─▶ admit ─▶ route ─▶ (hold for the model name) ─▶ choose
//     the arm ─▶ try ─▶ (try again)
//   response headers ◀─ decision token added ◀─ attempt ... trailers, end
//
// Bodies are slices of the blocks they were read into. What one side has not
// taken keeps the other side's window closed.
#ifndef BANDIT_ROUTER_PROXY_EXCHANGE_H_
#define BANDIT_ROUTER_PROXY_EXCHANGE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "router/http2/session.h"
#include "router/http2/timer_wheel.h"
#include "router/observe/observation.h"
#include "router/proxy/admission.h"
#include "router/proxy/arm_choice.h"
#include "router/proxy/attempt.h"
#include "router/proxy/call_account.h"
#include "router/proxy/grpc_status.h"
#include "router/proxy/mirror.h"
#include "router/proxy/model_peek.h"
#include "router/proxy/overlays.h"
#include "router/proxy/retry.h"
#include "router/upstream/backend.h"

namespace bandit::proxy {

struct WorkerState;
struct Generation;

// Thread-safety: none, lives on its worker.
// Ownership: the worker's pool; returns there when both sides are done.
class Exchange : private Attempt::Owner, private Admission::Waiter {
 public:
  explicit Exchange(WorkerState& worker);
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  // Begins to serve the stream `id` of `session`.
  http2::Stream* Start(http2::Session& session, int32_t id);

 private:
  // The client's stream: request in, response out.
  class Downstream : public http2::Stream {
   public:
    explicit Downstream(Exchange& exchange) : exchange_(exchange) {}
    http2::HeaderBlock* OnHeadersBegin() override;
    void OnHeaders(bool complete, bool end) override;
    void OnData(const http2::BlockRef& block, const uint8_t* data,
                size_t size) override;
    void OnEnd() override;
    void OnClosed(uint32_t error_code) override;
    Outgoing Peek(size_t max) override;
    void Take(size_t size, http2::SliceQueue& out) override;
    bool HasOutput() const override {
      return !exchange_.response_.body.empty();
    }
    void OnEndWritten() override;

   private:
    Exchange& exchange_;
  };

  class Timer : public http2::TimerWheel::Timer {
   public:
    Timer(Exchange& exchange, void (Exchange::*expired)())
        : exchange_(exchange), expired_(expired) {}
    void OnExpired() override { (exchange_.*expired_)(); }

   private:
    Exchange& exchange_;
    void (Exchange::*expired_)();
  };

  enum class Phase {
    kReceiving,   // The request's headers are coming.
    kQueued,      // It waits for its turn.
    kHolding,     // Bytes are kept back until the model name is known.
    kBackingOff,  // It waits to be tried again.
    kForwarding,  // A backend has the call.
    kAnswered,    // The router itself answered, or the call was cut off.
  };

  // What bounds the call's time.
  enum class Bound { kNone, kGrpcTimeout, kExperiment };

  // The client's stream.
  struct Client {
    http2::Session* session = nullptr;
    int32_t id = 0;
    bool open = false;  // The session knows the stream.
    // Payload received whose window has not been opened again.
    size_t unconsumed = 0;

    void Consume(size_t size);
  };

  // What the client gets.
  struct Response {
    http2::HeaderBlock headers;
    http2::HeaderBlock trailers;
    http2::SliceQueue body;
    bool started = false;   // The final headers were submitted.
    bool trailing = false;  // Trailers came.
    bool ended = false;     // No more of the body will come.
    bool trailers_submitted = false;
    bool end_written = false;

    void Clear();
  };

  // --- request (exchange_request.cc)
  void OnRequestHeaders(bool complete);
  void OnRequestTrailers(bool complete);
  void AnswerTooLarge(std::string_view what);
  // Counts a call that no experiment took as begun, once.
  void CountUnmatched();
  void OnRequestData(const http2::BlockRef& block, const uint8_t* data,
                     size_t size);
  void OnRequestEnd();
  // Takes the request in, lets it wait, or refuses it.
  void Admit();
  void OnAdmitted() override;  // Admission::Waiter
  // Waits no longer, if it did.
  void LeaveQueue();
  void Refuse(learning::Rejection reason);
  // Finds the experiments; may begin to hold.
  void Route();
  // With what is known of the model name. True: `experiment` is who takes the
  // request, if any does.
  bool Match(std::optional<std::string_view> model,
             std::optional<size_t>* experiment);
  void Hold();
  void HoldRequest(const http2::BlockRef& block, const uint8_t* data,
                   size_t size);
  void OnModelKnown();
  // `model`: the message's, where it was looked at.
  void AssignOrDefault(std::optional<size_t> experiment,
                       std::string_view model = {});
  void AssignTo(size_t experiment);
  // False: the call has been answered with an error.
  bool DrawOverlays();
  void AnswerNoSuchArm(const experiment::Experiment& experiment);
  // Lets the message have another model from here on. False: the call has been
  // answered with an error.
  bool Rewrite(const std::optional<experiment::ModelOverride>& model);
  // Passes request bytes on, rewriting the message where the arm asks. False:
  // the call has been answered with an error.
  bool PassRequest(const http2::BlockRef& block, const uint8_t* data,
                   size_t size);

  // Lets the worker know of the bytes that the rewriter keeps back.
  void NoteHeld();

  // --- tries (exchange_tries.cc)
  // The call may take `ns` from its beginning.
  void LimitTime(int64_t ns, Bound bound);
  void OnDeadline();
  // Makes the chosen arm's backend the target. False: the call has been
  // answered with an error.
  bool AimAtArm();
  // Sends the request to target_.
  void Try();
  void WriteTimeout();
  // The time limit of the try, once the request is whole.
  void LimitTry();
  // The time for a turn, a back-off or a try is over.
  void OnStepExpired();
  void OnTryTimeout();
  // Sends the request again, if that may be after such a failure and is of use;
  // then the attempt is gone. False: the failure is the call's.
  bool TryAgain(Failure failure);
  // Aims at another arm. False: there is none. An override that cannot be made
  // has been answered.
  bool FallBack();
  void DropAttempt();
  // Ends the call as its attempt, which is closed, has ended.
  void AnswerFailed();

  // --- response (exchange_response.cc), Attempt::Owner
  void OnForwarded() override;
  void OnSent(size_t size) override;
  http2::HeaderBlock* OnResponseBegin() override;
  void OnResponseHeaders(bool complete, bool end) override;
  void OnResponseData(const http2::BlockRef& block, const uint8_t* data,
                      size_t size) override;
  void OnResponseEnd() override;
  void OnAttemptClosed() override;
  void SubmitResponse(bool end);
  void PassInterim();
  // The backend has sent all: what is left of it goes to the client.
  void EndResponse();
  // The backend's stream is gone and nothing of the request is wanted any more;
  // the response may still be on its way to the client.
  void DropRequest();
  void OnDownstreamClosed();

  // The fields that name the decisions.
  void AddDecisions(http2::HeaderBlock* block);

  // --- answers of the router's own (exchange_answer.cc)
  // Ends the call in the router's own name: trailers-only, or trailers if the
  // response has begun. A call that is not gRPC gets an HTTP status or a reset.
  void Answer(GrpcStatus status, const std::string& message);
  void AnswerGrpc(GrpcStatus status);
  void AnswerHttp(GrpcStatus status, const std::string& message);
  // "experiment ranker, arm candidate, backend ranker-b"
  std::string Place() const;

  // --- what is written down of the call (exchange_observe.cc)
  void Observe(const learning::CallRecord& call);

  // Counts the call, once.
  void Finish(int64_t end_ns);
  void RecycleIfDone();
  void Reset();

  WorkerState& worker_;
  Generation* generation_ = nullptr;
  Downstream downstream_{*this};
  Timer deadline_{*this, &Exchange::OnDeadline};
  Timer step_{*this, &Exchange::OnStepExpired};

  Phase phase_ = Phase::kReceiving;
  Client client_;
  Request request_;
  Response response_;
  bool grpc_ = false;
  bool request_headers_done_ = false;
  bool finished_ = false;
  bool counted_unmatched_ = false;

  Bound bound_ = Bound::kNone;
  int64_t deadline_ns_ = 0;     // Loop time, where there is a bound.
  std::string timeout_;         // Keeps a grpc-timeout of the router's own.
  std::string caller_timeout_;  // What stood there before.

  ArmChoice choice_;
  Overlays overlays_;
  experiment::Places places_;
  upstream::Backend* target_ = nullptr;
  Attempt* attempt_ = nullptr;
  Tries tries_;
  const Attempt::Endpoint* avoid_ = nullptr;  // Where the last try failed.
  size_t held_ = 0;                           // Of the worker's held_messages.
  std::unique_ptr<ModelPeek> peek_;
  Mirror* mirror_ = nullptr;  // While it has to be fed.
  // Keep the strings of an answer of the router's own.
  std::string answer_status_;
  std::string answer_message_;

  CallAccount account_;
  observe::Observation observation_;
};

}  // namespace bandit::proxy

#endif  // BANDIT_ROUTER_PROXY_EXCHANGE_H_

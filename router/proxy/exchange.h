// SPDX-License-Identifier: Apache-2.0
// One proxied call: a stream of a client's connection and a stream of a
// backend's, and what passes between them.
//
//   request headers ─▶ route ─▶ (hold for the model name) ─▶ assign ─▶ forward
//   response headers ◀─ decision token added ◀─ upstream ... trailers, end
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

#include "router/experiment/assignment.h"
#include "router/http2/session.h"
#include "router/http2/timer_wheel.h"
#include "router/learning/worker_statistics.h"
#include "router/proxy/grpc_status.h"
#include "router/proxy/message_rewriter.h"
#include "router/proxy/model_peek.h"
#include "router/upstream/backend.h"

namespace bandit::proxy {

struct WorkerState;
struct Generation;

// Thread-safety: none, lives on its worker.
// Ownership: the worker's pool; returns there when both streams are gone.
class Exchange {
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
    void OnEndWritten() override;

   private:
    Exchange& exchange_;
  };

  // The backend's stream: request out, response in.
  class Upstream : public http2::Stream {
   public:
    explicit Upstream(Exchange& exchange) : exchange_(exchange) {}
    http2::HeaderBlock* OnHeadersBegin() override;
    void OnHeaders(bool complete, bool end) override;
    void OnData(const http2::BlockRef& block, const uint8_t* data,
                size_t size) override;
    void OnEnd() override;
    void OnClosed(uint32_t error_code) override;
    Outgoing Peek(size_t max) override;
    void Take(size_t size, http2::SliceQueue& out) override;
    void OnHeadersWritten() override;

   private:
    Exchange& exchange_;
  };

  class Deadline : public http2::TimerWheel::Timer {
   public:
    explicit Deadline(Exchange& exchange) : exchange_(exchange) {}
    void OnExpired() override { exchange_.OnDeadline(); }

   private:
    Exchange& exchange_;
  };

  enum class Phase {
    kReceiving,   // The request's headers are coming.
    kHolding,     // Bytes are kept back until the model name is known.
    kForwarding,  // The backend has the call.
    kAnswered,    // The router itself answered, or the call was cut off.
  };

  // A half of the call: a session's stream and the body that came from it.
  struct Side {
    http2::Session* session = nullptr;
    int32_t id = 0;
    bool open = false;   // The session knows the stream.
    bool ended = false;  // It will send no more.
    http2::SliceQueue body;
    // Payload received whose window has not been opened again.
    size_t unconsumed = 0;

    void Consume(size_t size);
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
  // Finds the experiment; may begin to hold.
  void Route();
  void HoldRequest(const http2::BlockRef& block, const uint8_t* data,
                   size_t size);
  void OnModelKnown();
  void AssignOrDefault(std::optional<size_t> experiment);
  void AssignTo(size_t experiment);
  // False: the call has been answered with an error.
  bool StartRewriting(const experiment::ModelOverride& model);
  void Forward(upstream::Backend& backend);
  // Sends the request to target_.
  void Submit();
  // Gives the lease back, once; `outcome_` says how it went.
  void ReleaseLease();
  void ArmDeadline();
  // Passes request bytes on, rewriting the message where the arm asks. False:
  // the call has been answered with an error.
  bool PassRequest(const http2::BlockRef& block, const uint8_t* data,
                   size_t size);

  // --- response (exchange_response.cc)
  void OnResponseHeaders(bool complete, bool end);
  void SubmitResponse(bool end);
  void AddDecisionHeaders(http2::HeaderBlock& block);
  void OnUpstreamClosed(uint32_t error_code);
  // The backend's stream is gone and nothing of the request is wanted any more;
  // the response may still be on its way to the client.
  void DropRequest();
  void OnUpstreamFailed(const http2::Session& session, uint32_t error_code);
  void OnDownstreamClosed();
  void OnDeadline();
  // Ends the call in the router's own name: trailers-only, or trailers if the
  // response has begun. A call that is not gRPC gets an HTTP status or a reset.
  void Answer(GrpcStatus status, const std::string& message);
  void AnswerGrpc(GrpcStatus status);
  // The backend has sent all: what is left of it goes to the client.
  void EndResponse();
  void AnswerHttp(GrpcStatus status, const std::string& message);
  // "experiment ranker, arm candidate, backend ranker-b"
  std::string Place() const;
  void NoteCode(const http2::HeaderBlock& block);
  // The backend has said all: how its endpoint did.
  void NoteOutcome();
  // Counts the call, once.
  void Finish(int64_t end_ns);
  void RecycleIfDone();
  void Reset();

  WorkerState& worker_;
  Generation* generation_ = nullptr;
  Downstream downstream_handler_{*this};
  Upstream upstream_handler_{*this};
  Deadline deadline_{*this};

  Phase phase_ = Phase::kReceiving;
  Side client_;
  Side backend_;
  http2::HeaderBlock request_;
  http2::HeaderBlock request_trailers_;
  http2::HeaderBlock response_;
  http2::HeaderBlock response_trailers_;
  bool grpc_ = false;
  bool request_headers_done_ = false;
  bool response_started_ = false;   // The final headers were submitted.
  bool response_trailing_ = false;  // Trailers came.
  bool trailers_submitted_ = false;
  bool request_trailers_submitted_ = false;
  bool end_written_ = false;
  bool finished_ = false;
  bool counted_unmatched_ = false;

  std::optional<size_t> experiment_;  // Index into the plan.
  experiment::Assignment assignment_;
  upstream::Backend* target_ = nullptr;
  upstream::Backend::Lease lease_;
  // What is known so far: of the caller's or a deadline's doing, until the
  // backend has spoken or failed.
  upstream::Backend::Outcome outcome_ = upstream::Backend::Outcome::kAbandoned;
  std::string token_;
  std::unique_ptr<ModelPeek> peek_;
  std::unique_ptr<MessageRewriter> rewriter_;
  // Keep the strings of an answer of the router's own.
  std::string answer_status_;
  std::string answer_message_;

  int code_ = 0;
  bool code_known_ = false;
  int64_t start_ns_ = 0;
  int64_t forwarded_ns_ = 0;
  int64_t first_byte_ns_ = 0;
  int64_t response_end_ns_ = 0;
  uint64_t response_bytes_ = 0;
};

}  // namespace bandit::proxy

#endif  // BANDIT_ROUTER_PROXY_EXCHANGE_H_

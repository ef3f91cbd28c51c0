// SPDX-License-Identifier: Apache-2.0
// One try at a backend: the stream there and the lease it holds.
//
// A call has one at a time. It may give one up while its stream is still open,
// say on a connection that takes no bytes, and go on with another: the one
// given up tells it nothing more and sees to its own end.
#ifndef BANDIT_ROUTER_PROXY_ATTEMPT_H_
#define BANDIT_ROUTER_PROXY_ATTEMPT_H_

#include <cstdint>
#include <string>

#include "router/http2/header_block.h"
#include "router/http2/session.h"
#include "router/proxy/request_body.h"
#include "router/proxy/retry.h"
#include "router/upstream/backend.h"

namespace bandit::proxy {

struct WorkerState;

// What a backend is to be sent.
struct Request {
  explicit Request(http2::BlockPool& pool) : body(pool) {}

  http2::HeaderBlock headers;
  http2::HeaderBlock trailers;
  RequestBody body;
  bool ended = false;  // No more of it will come.
};

// Thread-safety: none, lives on its worker.
// Ownership: the worker's pool; Release returns it there.
class Attempt : public http2::Stream {
 public:
  using Outcome = upstream::Backend::Outcome;
  using Endpoint = upstream::Backend::Endpoint;

  // The call that it is made for.
  class Owner {
   public:
    // The request's headers were given to the socket.
    virtual void OnForwarded() = 0;
    // `size` bytes of its body were taken.
    virtual void OnSent(size_t size) = 0;
    // As http2::Stream has them.
    virtual http2::HeaderBlock* OnResponseBegin() = 0;
    virtual void OnResponseHeaders(bool complete, bool end) = 0;
    virtual void OnResponseData(const http2::BlockRef& block,
                                const uint8_t* data, size_t size) = 0;
    virtual void OnResponseEnd() = 0;
    // The stream is gone; the attempt waits for its Release.
    virtual void OnAttemptClosed() = 0;

   protected:
    ~Owner() = default;
  };

  explicit Attempt(WorkerState& worker) : worker_(worker) {}
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

  // Sends `request` to an endpoint of `backend`, if there is another one not to
  // `avoid`. False: it has no place for it; failure() and why() say more.
  // Ownership: borrows all three, and the header fields as they are now, until
  // the stream is gone or Release.
  bool Start(Owner& owner, Request& request, upstream::Backend& backend,
             const Endpoint* avoid);

  // The owner is done with it. A stream that is still open is reset with
  // CANCEL.
  void Release();

  bool open() const { return open_; }
  // The backend has sent all of its response.
  bool ended() const { return ended_; }
  // The request has more to send.
  void Resume();
  // `size` bytes of the response were passed on.
  void Consume(size_t size);

  // Where it was sent; after Release for comparisons only.
  const Endpoint* endpoint() const { return endpoint_; }
  // How it went, as far as the endpoint is to blame. Abandoned unless said
  // otherwise or the backend failed.
  void set_outcome(Outcome outcome) { outcome_ = outcome; }

  // Once it is closed, or did not start: how, and in words. The error code is
  // that of the stream.
  Failure failure() const { return failure_; }
  uint32_t error_code() const { return error_code_; }
  const std::string& why() const { return why_; }

  // http2::Stream
  http2::HeaderBlock* OnHeadersBegin() override;
  void OnHeaders(bool complete, bool end) override;
  void OnData(const http2::BlockRef& block, const uint8_t* data,
              size_t size) override;
  void OnEnd() override;
  void OnClosed(uint32_t error_code) override;
  Outgoing Peek(size_t max) override;
  void Take(size_t size, http2::SliceQueue& out) override;
  bool HasOutput() const override {
    return owner_ != nullptr && !request_->body.empty();
  }
  void OnHeadersWritten() override;

 private:
  void NoteFailure(uint32_t error_code);
  void ReleaseLease();
  void Recycle();

  WorkerState& worker_;
  Owner* owner_ = nullptr;  // Null once it was given up.
  Request* request_ = nullptr;
  upstream::Backend* backend_ = nullptr;
  upstream::Backend::Lease lease_;
  http2::Session* session_ = nullptr;   // Alive while the stream is open.
  const Endpoint* endpoint_ = nullptr;  // Of the lease, also after it.
  Outcome outcome_ = Outcome::kAbandoned;
  int32_t id_ = 0;
  // Response payload received whose window has not been opened again.
  size_t unconsumed_ = 0;
  bool open_ = false;     // The session knows the stream.
  bool written_ = false;  // The request's headers.
  bool sent_all_ = false;
  bool trailers_submitted_ = false;
  bool ended_ = false;
  Failure failure_ = Failure::kReset;
  uint32_t error_code_ = 0;
  std::string why_;
};

}  // namespace bandit::proxy

#endif  // BANDIT_ROUTER_PROXY_ATTEMPT_H_

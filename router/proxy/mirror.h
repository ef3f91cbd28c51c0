// SPDX-License-Identifier: Apache-2.0
// The copy of a request that goes to a shadow.
//
// It shares the bytes of the body with the request and nothing else: it takes
// no part in flow control, so it can neither slow nor fail what it copies. If
// the shadow does not keep up it is cut.
#ifndef BANDIT_ROUTER_PROXY_MIRROR_H_
#define BANDIT_ROUTER_PROXY_MIRROR_H_

#include <cstddef>
#include <cstdint>

#include "router/http2/timer_wheel.h"
#include "router/proxy/attempt.h"
#include "router/proxy/call_account.h"
#include "router/proxy/grpc_status.h"

namespace bandit::proxy {

struct Generation;

// Thread-safety: none, lives on its worker.
// Ownership: the worker's pool; returns there when it is over and the call has
// said End or Abandon.
class Mirror : private Attempt::Owner {
 public:
  // Copies of one worker that are under way at a time; more are not begun.
  static constexpr size_t kMost = 1000;
  // How long the shadow may take, whatever the caller allows.
  static constexpr int64_t kPatienceNs = 60'000'000'000;

  explicit Mirror(WorkerState& worker);
  Mirror(const Mirror&) = delete;
  Mirror& operator=(const Mirror&) = delete;

  // Begins to copy a request of the experiment, by chance as its share says;
  // null if not.
  static Mirror* Maybe(WorkerState& worker, Generation& generation,
                       size_t experiment, const http2::HeaderBlock& request,
                       int64_t deadline_ns);

  // The next bytes of the body, as they came.
  void Add(const http2::BlockRef& block, const uint8_t* data, size_t size);
  // The request is whole. The caller has done with it.
  void End(const http2::HeaderBlock& trailers);
  // The request will not be whole. The caller has done with it.
  void Abandon();

 private:
  class Patience : public http2::TimerWheel::Timer {
   public:
    explicit Patience(Mirror& mirror) : mirror_(mirror) {}
    void OnExpired() override { mirror_.Stop(GrpcStatus::kDeadlineExceeded); }

   private:
    Mirror& mirror_;
  };

  void Start(Generation& generation, size_t experiment,
             const http2::HeaderBlock& request, int64_t deadline_ns);
  // Ends the copy, which is under way, and counts it; with this status unless
  // the shadow has said one.
  void Stop(GrpcStatus status);
  void Cut();
  void RecycleIfDone();

  // Attempt::Owner
  void OnForwarded() override {}
  void OnSent(size_t) override {}
  http2::HeaderBlock* OnResponseBegin() override { return &response_; }
  void OnResponseHeaders(bool complete, bool end) override;
  void OnResponseData(const http2::BlockRef& block, const uint8_t* data,
                      size_t size) override;
  void OnResponseEnd() override;
  void OnAttemptClosed() override;

  WorkerState& worker_;
  Generation* generation_ = nullptr;
  size_t experiment_ = 0;
  Attempt* attempt_ = nullptr;  // Null: it is over.
  Request request_;
  http2::HeaderBlock response_;
  CallAccount account_;
  Patience patience_{*this};
  bool fed_ = false;  // The call has more to say.
};

}  // namespace bandit::proxy

#endif  // BANDIT_ROUTER_PROXY_MIRROR_H_

// SPDX-License-Identifier: Apache-2.0
// Active checks of an endpoint: grpc.health.v1.Health/Check, over a connection
// that requests use too.
#ifndef BANDIT_ROUTER_UPSTREAM_HEALTH_CHECK_H_
#define BANDIT_ROUTER_UPSTREAM_HEALTH_CHECK_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "router/http2/header_block.h"
#include "router/http2/session.h"

namespace bandit::upstream {

struct HealthCheckOptions {
  std::string service;  // Empty: the server as a whole.
  int64_t interval_ns = 5'000'000'000;
  int64_t timeout_ns = 1'000'000'000;
  uint32_t unhealthy_after = 2;
  uint32_t healthy_after = 1;
};

// The request's message, with its gRPC prefix.
std::string HealthRequest(std::string_view service);
// Nothing if the response's message (with its prefix) says SERVING; else what
// it says.
std::optional<std::string> WhyNotServing(std::string_view message);

// One endpoint's checks: every interval (a tenth more or less, so that workers
// do not ask together) one call.
//
// An endpoint is healthy until checks have failed `unhealthy_after` times in a
// row. A check that the connection had no room to send in time says nothing.
// Thread-safety: none, lives on its loop.
// Ownership: must outlive the sessions that it was given.
class HealthCheck : private http2::Stream {
 public:
  struct Events {
    // A session to ask over; null if none is connected: a failed check.
    std::function<http2::Session*()> session;
    // A check has ended; empty: well.
    std::function<void(const std::string& why)> on_result;
    std::function<void()> on_change;  // Of healthy().
  };

  // Ownership: borrows `options` and `random`. `authority`: for the request.
  HealthCheck(const HealthCheckOptions& options, std::string authority,
              std::mt19937_64& random, Events events);

  bool healthy() const { return healthy_; }
  bool under_way() const { return session_ != nullptr; }
  // The next check is due: the connection is new.
  void Hurry() { next_ns_ = 0; }
  // Starts and ends checks; when there is something to do again. To be called
  // soon after on_result too.
  int64_t Tick(int64_t now_ns);

 private:
  http2::HeaderBlock* OnHeadersBegin() override;
  void OnHeaders(bool complete, bool end) override {}
  void OnData(const http2::BlockRef& block, const uint8_t* data,
              size_t size) override;
  void OnEnd() override;
  void OnClosed(uint32_t error_code) override;
  Outgoing Peek(size_t max) override;
  void Take(size_t size, http2::SliceQueue& out) override;
  void OnHeadersWritten() override { sent_ = true; }

  void Ask();
  // Counts the check that is under way, once.
  void Conclude(const std::string& why);
  std::string WhyBad() const;

  const HealthCheckOptions& options_;
  const std::string authority_;
  const std::string message_;
  const std::string timeout_;  // grpc-timeout
  std::mt19937_64& random_;
  Events events_;

  bool healthy_ = true;
  uint32_t good_ = 0;  // In a row.
  uint32_t bad_ = 0;
  int64_t next_ns_ = 0;

  // The check under way.
  http2::Session* session_ = nullptr;  // Null: the stream is closed.
  int32_t id_ = 0;
  bool concluded_ = true;
  bool sent_ = false;
  bool ended_ = false;
  bool sections_ = false;  // The first header section has come.
  int64_t due_ns_ = 0;
  size_t written_ = 0;
  std::string response_;
  http2::HeaderBlock headers_;
  http2::HeaderBlock trailers_;
};

}  // namespace bandit::upstream

#endif  // BANDIT_ROUTER_UPSTREAM_HEALTH_CHECK_H_

// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/proxy/load_generator.h"

#include <cstdio>
#include <utility>

#include "tests/bench/proxy/load_connection.h"
#include "tests/bench/proxy/message.h"

namespace bandit::bench {
namespace {

Clock::duration Seconds(double seconds) {
  return std::chrono::duration_cast<Clock::duration>(
      std::chrono::duration<double>(seconds));
}

}  // namespace

LoadGenerator::LoadGenerator(asio::io_context& context,
                             const LoadOptions& options)
    : context_(context),
      options_(options),
      message_(FramedMessage(options.bytes)),
      random_(options.seed),
      due_timer_(context),
      phase_timer_(context) {}

LoadGenerator::~LoadGenerator() = default;

bool LoadGenerator::Run() {
  const asio::ip::tcp::endpoint target(asio::ip::address_v4::loopback(),
                                       options_.port);
  for (int i = 0; i < options_.connections; ++i) {
    asio::ip::tcp::socket socket(context_);
    asio::error_code error;
    socket.connect(target, error);
    if (error) {
      std::fprintf(stderr, "load: connect to port %d: %s\n", options_.port,
                   error.message().c_str());
      return false;
    }
    connections_.push_back(
        std::make_shared<LoadConnection>(std::move(socket), this));
  }
  for (auto& connection : connections_) connection->Start();

  start_ = Clock::now();
  if (options_.rate > 0) {
    SendDue();
  } else {
    for (auto& connection : connections_) {
      for (int i = 0; i < options_.streams; ++i) {
        connection->Send(Clock::now());
      }
      connection->Flush();
    }
  }
  phase_timer_.expires_at(start_ + Seconds(options_.warmup_seconds));
  phase_timer_.async_wait([this](asio::error_code) { BeginMeasuring(); });
  context_.run();

  for (; under_way_ > 0; --under_way_) result_.Count(Outcome::kUnanswered);
  return true;
}

void LoadGenerator::SendDue() {
  if (!sending_) return;
  const auto now = Clock::now();
  const auto due_at = [this](int64_t n) {
    return start_ + Seconds(static_cast<double>(n) / options_.rate);
  };
  // Requests that are due together share a write on each connection.
  while (due_at(sent_due_) <= now) {
    connections_[sent_due_ % connections_.size()]->Send(due_at(sent_due_));
    ++sent_due_;
  }
  for (auto& connection : connections_) connection->Flush();
  due_timer_.expires_at(due_at(sent_due_));
  due_timer_.async_wait([this](asio::error_code error) {
    if (!error) SendDue();
  });
}

void LoadGenerator::BeginMeasuring() {
  measuring_ = true;
  measure_from_ = Clock::now();
  phase_timer_.expires_after(Seconds(options_.seconds));
  phase_timer_.async_wait([this](asio::error_code) { StopSending(); });
}

void LoadGenerator::StopSending() {
  sending_ = false;
  measuring_ = false;
  measured_seconds_ =
      std::chrono::duration<double>(Clock::now() - measure_from_).count();
  due_timer_.cancel();
  if (under_way_ == 0) return context_.stop();
  phase_timer_.expires_after(Seconds(options_.grace_seconds));
  phase_timer_.async_wait([this](asio::error_code) { context_.stop(); });
}

void LoadGenerator::Ended(Outcome outcome, Clock::time_point due,
                          std::string_view detail) {
  const auto now = Clock::now();
  --under_way_;
  result_.Count(outcome);
  if (outcome != Outcome::kOk) {
    result_.Describe(std::chrono::duration<double>(now - start_).count(),
                     outcome, detail);
  }
  if (outcome == Outcome::kOk && measuring_) ++measured_;
  // By when it was due, not by when it ended: a late answer to a request of
  // the measured time counts, however late.
  if (outcome == Outcome::kOk && measure_from_ != Clock::time_point() &&
      due >= measure_from_) {
    result_.RecordLatency((now - due).count());
  }
  if (!sending_ && under_way_ == 0) context_.stop();
}

}  // namespace bandit::bench

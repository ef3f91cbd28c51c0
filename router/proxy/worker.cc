// SPDX-License-Identifier: Apache-2.0
#include "router/proxy/worker.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "asio/post.hpp"

namespace bandit::proxy {
namespace {

// Towards backends: what a client may send must be let through; its times are
// its own.
http2::SessionOptions SessionOptionsOf(const v1::LimitsConfig& limits) {
  const http2::SessionOptions client = ClientSessionOptions(limits);
  http2::SessionOptions options;
  options.stream_window = client.stream_window;
  options.connection_window = client.connection_window;
  options.max_concurrent_streams = client.max_concurrent_streams;
  options.max_header_list = client.max_header_list;
  return options;
}

}  // namespace

Worker::Worker(WorkerOptions options)
    : options_(std::move(options)),
      state_(options_.signer, options_.seed, options_.unix_ms),
      clients_(
          state_.loop, options_.connections,
          [this](http2::Session& session, int32_t id) {
            return state_.Take().Start(session, id);
          },
          [this] { StopIfDrained(); }),
      grace_timer_(state_.loop.io()),
      work_(state_.loop.io().get_executor()) {}

Worker::~Worker() {
  if (thread_.joinable()) {
    Drain(absl::ZeroDuration());
    Join();
  }
  // The loop's pending handlers hold sessions, which hold blocks of its pool.
  clients_.CloseAll("the router is stopping");
}

absl::Status Worker::Bind() {
  auto listener = Listener::Bind(state_.loop.io(), options_.listen);
  if (!listener.ok()) return listener.status();
  listener_ = *std::move(listener);
  return absl::OkStatus();
}

void Worker::Start() {
  listener_->Start([this](std::unique_ptr<http2::Transport> transport) {
    Accept(std::move(transport));
  });
  thread_ = std::thread([this] { state_.loop.io().run(); });
}

void Worker::Join() {
  if (thread_.joinable()) thread_.join();
  joined_ = true;
}

void Worker::Publish(std::shared_ptr<const learning::Snapshot> snapshot) {
  asio::post(state_.loop.io(),
             [this, snapshot = std::move(snapshot)]() mutable {
               Adopt(std::move(snapshot));
             });
}

void Worker::Harvest(std::function<void(Deltas)> done) {
  if (joined_) {
    done(TakeCounts());
    return;
  }
  asio::post(state_.loop.io(),
             [this, done = std::move(done)] { done(TakeCounts()); });
}

learning::WorkerPort::Deltas Worker::TakeCounts() {
  Deltas deltas;
  for (const auto& generation : state_.retired) {
    deltas.push_back(generation->statistics.Take());
  }
  std::erase_if(state_.retired,
                [](const auto& generation) { return generation->live == 0; });
  if (state_.generation != nullptr) {
    deltas.push_back(state_.generation->statistics.Take());
    deltas.back()->connections = clients_.TakeCounts();
  }
  return deltas;
}

void Worker::Adopt(std::shared_ptr<const learning::Snapshot> snapshot) {
  if (stopped_) return;
  if (state_.generation == nullptr ||
      state_.generation->snapshot->plan != snapshot->plan) {
    MakeGeneration(std::move(snapshot));
  } else {
    state_.generation->snapshot = std::move(snapshot);
  }
}

void Worker::MakeGeneration(
    std::shared_ptr<const learning::Snapshot> snapshot) {
  const experiment::Plan* const plan = snapshot->plan.get();
  const http2::SessionOptions session = SessionOptionsOf(plan->limits);
  auto generation = std::make_unique<Generation>(std::move(snapshot));
  for (const experiment::Backend& spec : plan->backends) {
    upstream::BackendOptions options{.name = spec.name,
                                     .connect_timeout = spec.connect_timeout,
                                     .session = session};
    for (const std::string& text : spec.addresses) {
      // The config's validation has read it before.
      options.addresses.push_back(upstream::ParseAddress(text).value());
    }
    generation->backends.push_back(
        std::make_unique<upstream::Backend>(state_.loop, std::move(options)));
    generation->backends.back()->Warm();
  }
  if (state_.control == nullptr && !options_.control_socket.empty()) {
    state_.control = std::make_unique<upstream::Backend>(
        state_.loop,
        upstream::BackendOptions{
            .name = "control",
            .addresses = {{.kind = upstream::Address::Kind::kUnixAbstract,
                           .path = options_.control_socket}},
            .session = session});
  }
  if (state_.generation != nullptr) {
    // Its last calls, and what they count, are still to come.
    state_.retired.push_back(std::move(state_.generation));
  }
  state_.generation = std::move(generation);
}

void Worker::Accept(std::unique_ptr<http2::Transport> transport) {
  if (draining_ || state_.generation == nullptr) return;
  clients_.Add(std::move(transport), state_.generation->plan->limits);
}

void Worker::Drain(absl::Duration grace) {
  asio::post(state_.loop.io(), [this, grace] { BeginDrain(grace); });
}

void Worker::BeginDrain(absl::Duration grace) {
  if (stopped_) return;
  if (!draining_) {
    draining_ = true;
    listener_->Stop();
    clients_.Drain();
  }
  grace_timer_.expires_after(absl::ToChronoNanoseconds(grace));
  grace_timer_.async_wait([this](std::error_code error) {
    if (error || stopped_) return;
    if (clients_.size() > 0) {
      spdlog::warn("{} connections were still open after the grace period",
                   clients_.size());
    }
    Stop();
  });
  StopIfDrained();
}

void Worker::StopIfDrained() {
  if (draining_ && clients_.size() == 0 && !stopped_) Stop();
}

void Worker::Stop() {
  stopped_ = true;
  grace_timer_.cancel();
  clients_.CloseAll("the router is stopping");
  for (const auto& generation : state_.retired) generation->backends.clear();
  state_.generation->backends.clear();
  state_.control.reset();
  // Lets handlers that are ready run; what is pending for ever is dropped.
  work_.reset();
  state_.loop.io().stop();
}

}  // namespace bandit::proxy

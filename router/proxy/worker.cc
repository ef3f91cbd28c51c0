// SPDX-License-Identifier: Apache-2.0
#include "router/proxy/worker.h"

#include <pthread.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "asio/post.hpp"
#include "router/proxy/backend_set.h"

namespace bandit::proxy {
namespace {

// What a worker may hold whatever its part of limits.max_buffered: what it
// reads into is counted, too.
constexpr uint64_t kLeastHeldBytes = uint64_t{1} << 20;

}  // namespace

Worker::Worker(WorkerOptions options)
    : options_(std::move(options)),
      state_(options_.signer, options_.seed, options_.unix_ms,
             *options_.admission),
      grace_timer_(state_.loop.io()),
      work_(state_.loop.io().get_executor()) {
  state_.tap = options_.tap;
}

Worker::~Worker() {
  if (thread_.joinable()) {
    Drain(absl::ZeroDuration());
    Join();
  }
  // The loop's pending handlers hold sessions, which hold blocks of its pool.
  for (const auto& session : std::exchange(sessions_, {})) {
    session->Close("the router is stopping");
  }
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
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "worker");
    state_.loop.io().run();
  });
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
    learning::WorkerStatistics& statistics = state_.generation->statistics;
    for (const auto& [name, change] :
         backend_reporter_.Take(state_.generation->backends)) {
      statistics.OnBackend(name, change);
    }
    deltas.push_back(statistics.Take());
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
  auto generation = std::make_unique<Generation>(std::move(snapshot));
  const experiment::Plan& plan = *generation->plan;
  BackendSet before;
  if (state_.generation != nullptr) {
    before = {state_.generation->plan, &state_.generation->backends};
  }
  generation->backends =
      MakeBackends(state_.loop, plan, before, options_.circuits, state_.random);
  if (state_.control == nullptr && !options_.control_socket.empty()) {
    upstream::BackendOptions control;
    control.name = "control";
    control.addresses = {{.kind = upstream::Address::Kind::kUnixAbstract,
                          .path = options_.control_socket}};
    control.pool.session = SessionOptionsOf(plan.limits);
    state_.control =
        std::make_unique<upstream::Backend>(state_.loop, std::move(control));
  }
  if (state_.generation != nullptr) {
    // Its last calls, and what they count, are still to come.
    state_.retired.push_back(std::move(state_.generation));
  }
  state_.generation = std::move(generation);
  state_.max_held_bytes =
      std::max(kLeastHeldBytes, plan.limits.max_buffered() / options_.workers);
  state_.admission.Configure(plan.limits.max_requests(), plan.limits.queue());
}

void Worker::Accept(std::unique_ptr<http2::Transport> transport) {
  if (draining_ || state_.generation == nullptr) return;
  http2::Session::Events events;
  events.on_stream = [this](http2::Session& session, int32_t id) {
    return state_.exchanges.Take().Start(session, id);
  };
  events.on_dead = [this](http2::Session& session, const std::string&) {
    sessions_.erase(session.shared_from_this());
    StopIfDrained();
  };
  auto session = std::make_shared<http2::Session>(
      state_.loop, http2::Session::Role::kServer,
      SessionOptionsOf(state_.generation->plan->limits), std::move(events));
  sessions_.insert(session);
  session->Start(std::move(transport));
}

void Worker::Drain(absl::Duration grace) {
  asio::post(state_.loop.io(), [this, grace] { BeginDrain(grace); });
}

void Worker::BeginDrain(absl::Duration grace) {
  if (stopped_) return;
  if (!draining_) {
    draining_ = true;
    listener_->Stop();
    for (const auto& session : std::set(sessions_)) session->Drain();
  }
  grace_timer_.expires_after(absl::ToChronoNanoseconds(grace));
  grace_timer_.async_wait([this](std::error_code error) {
    if (error || stopped_) return;
    if (!sessions_.empty()) {
      spdlog::warn("{} connections were still open after the grace period",
                   sessions_.size());
    }
    Stop();
  });
  StopIfDrained();
}

void Worker::StopIfDrained() {
  if (draining_ && sessions_.empty() && !stopped_) Stop();
}

void Worker::Stop() {
  stopped_ = true;
  grace_timer_.cancel();
  for (const auto& session : std::exchange(sessions_, {})) {
    session->Close("the router is stopping");
  }
  for (const auto& generation : state_.retired) generation->backends.clear();
  state_.generation->backends.clear();
  state_.control.reset();
  // Lets handlers that are ready run; what is pending for ever is dropped.
  work_.reset();
  state_.loop.io().stop();
}

}  // namespace bandit::proxy

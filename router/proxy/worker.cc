// SPDX-License-Identifier: Apache-2.0
#include "router/proxy/worker.h"

#include <fmt/format.h>
#include <pthread.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "asio/post.hpp"
#include "router/http2/tls_transport.h"
#include "router/proxy/backend_set.h"

namespace bandit::proxy {
namespace {

// Strangers must not fill the log.
constexpr int64_t kLogEveryNs = 1'000'000'000;
// What a worker may hold whatever its part of limits.max_buffered: what it
// reads into is counted, too.
constexpr uint64_t kLeastHeldBytes = uint64_t{1} << 20;

}  // namespace

Worker::Worker(WorkerOptions options)
    : options_(std::move(options)),
      state_(options_.signer, options_.seed, options_.unix_ms,
             *options_.admission),
      clients_(
          state_.loop, options_.connections,
          [this](http2::Session& session, int32_t id) {
            return state_.exchanges.Take().Start(session, id);
          },
          [this] { StopIfDrained(); }),
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
  clients_.CloseAll("the router is stopping");
}

absl::Status Worker::Bind() {
  auto listener = Listener::Bind(state_.loop.io(), options_.listen);
  if (!listener.ok()) return listener.status();
  listener_ = *std::move(listener);
  return absl::OkStatus();
}

void Worker::Start() {
  listener_->Start([this](http2::Transport::Socket socket) {
    Accept(NewTransport(std::move(socket)));
  });
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "worker");
    state_.loop.io().run();
  });
}

void Worker::Join() {
  if (thread_.joinable()) thread_.join();
  {
    absl::MutexLock lock(&harvest_mutex_);
    joined_ = true;
  }
  AnswerHarvests();
}

void Worker::Publish(std::shared_ptr<const learning::Snapshot> snapshot) {
  asio::post(state_.loop.io(),
             [this, snapshot = std::move(snapshot)]() mutable {
               Adopt(std::move(snapshot));
             });
}

void Worker::Harvest(std::function<void(Deltas)> done) {
  bool joined = false;
  {
    absl::MutexLock lock(&harvest_mutex_);
    harvests_.push_back(std::move(done));
    joined = joined_;
  }
  if (joined) {
    AnswerHarvests();
  } else {
    asio::post(state_.loop.io(), [this] { AnswerHarvests(); });
  }
}

void Worker::AnswerHarvests() {
  std::vector<std::function<void(Deltas)>> harvests;
  {
    absl::MutexLock lock(&harvest_mutex_);
    harvests.swap(harvests_);
  }
  for (const auto& done : harvests) done(TakeCounts());
}

void Worker::NoteReachable() {
  const Generation& generation = *state_.generation;
  const auto reachable = [&](size_t index) {
    upstream::Backend& backend = *generation.backends[index];
    // An idle connection may have been closed: it is made again on demand.
    if (backend.connected() || (reachable_ && backend.available())) return true;
    // Whoever looks at readiness sends no request that would try it again.
    state_.loop.UpdateTime();
    backend.Warm();
    return false;
  };
  const experiment::Plan& plan = *generation.plan;
  bool needed = plan.default_backend.has_value();
  bool found = needed && reachable(*plan.default_backend);
  for (const experiment::Experiment& experiment : plan.experiments) {
    if (experiment.overlay) continue;
    needed = true;
    for (const experiment::Arm& arm : experiment.arms) {
      found = found || reachable(arm.backend);
    }
  }
  reachable_ = found || !needed;
}

learning::WorkerPort::Deltas Worker::TakeCounts() {
  if (!stopped_ && state_.generation != nullptr) NoteReachable();
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
  auto generation = std::make_unique<Generation>(std::move(snapshot));
  const experiment::Plan& plan = *generation->plan;
  BackendSet before;
  if (state_.generation != nullptr) {
    before = {state_.generation->plan, &state_.generation->backends};
  }
  generation->backends =
      MakeBackends(state_.loop, plan, before, options_.circuits,
                   options_.credentials, state_.random);
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

std::unique_ptr<http2::Transport> Worker::NewTransport(
    http2::Transport::Socket socket) {
  const auto context = options_.credentials == nullptr
                           ? nullptr
                           : options_.credentials->listener();
  if (context == nullptr) return http2::PlainTransport(std::move(socket));
  return std::make_unique<http2::TlsTransport>(
      std::move(socket), context->Accept(),
      [this](const std::string& peer, const std::string& problem) {
        OnHandshakeFailed(peer, problem);
      });
}

void Worker::OnHandshakeFailed(const std::string& peer,
                               const std::string& problem) {
  const int64_t now = state_.loop.UpdateTime();
  if (handshake_logged_ns_ != 0 && now - handshake_logged_ns_ < kLogEveryNs) {
    ++handshakes_unlogged_;
    return;
  }
  handshake_logged_ns_ = now;
  const uint64_t unlogged = std::exchange(handshakes_unlogged_, 0);
  spdlog::warn("TLS handshake with {} failed: {}{}", peer, problem,
               unlogged == 0 ? "" : fmt::format("; {} more before", unlogged));
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
  // The earliest end counts, whichever comes first: threads may overtake.
  const auto end =
      asio::steady_timer::clock_type::now() + absl::ToChronoNanoseconds(grace);
  grace_end_ = std::min(grace_end_, end);
  grace_timer_.expires_at(grace_end_);
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

// SPDX-License-Identifier: Apache-2.0
#include "router/control/http_lobby.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace bandit::control {
namespace {

// What is looked at of a request before a thread reads it. More than any
// request that the admin port takes.
constexpr size_t kRoom = size_t{16} * 1024;
constexpr std::string_view kProbes[] = {"GET /metrics", "GET /healthz",
                                        "GET /readyz"};

bool IsProbe(std::string_view bytes) {
  return std::any_of(
      std::begin(kProbes), std::end(kProbes), [&](std::string_view probe) {
        return bytes.substr(0, probe.size()) == probe &&
               bytes.size() > probe.size() &&
               (bytes[probe.size()] == ' ' || bytes[probe.size()] == '?');
      });
}

// The body's length by the head; 0 where it has none that can be waited for.
size_t BodyLength(std::string_view head) {
  constexpr std::string_view kName = "\ncontent-length:";
  const auto it =
      std::search(head.begin(), head.end(), kName.begin(), kName.end(),
                  [](char a, char b) { return absl::ascii_tolower(a) == b; });
  if (it == head.end()) return 0;
  std::string_view value = head.substr(it - head.begin() + kName.size());
  value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
  size_t length = 0;
  std::from_chars(value.data(), value.data() + value.size(), length);
  return length;
}

// Also what the peer still sends, so that the close does not become a reset
// that takes the answer with it.
void Close(int socket) {
  shutdown(socket, SHUT_WR);
  std::array<char, 4096> rest;
  for (int i = 0; i < 16; ++i) {
    if (recv(socket, rest.data(), rest.size(), MSG_DONTWAIT) <= 0) break;
  }
  close(socket);
}

}  // namespace

Arrival Judge(std::string_view bytes, size_t room) {
  const size_t end = bytes.find("\r\n\r\n");
  if (end == bytes.npos) {
    return bytes.size() < room ? Arrival::kPart : Arrival::kPage;
  }
  if (IsProbe(bytes)) return Arrival::kProbe;
  const size_t head = end + 4;
  const size_t body = BodyLength(bytes.substr(0, head));
  if (body > room - head || bytes.size() - head >= body) return Arrival::kPage;
  return Arrival::kPart;
}

HttpLobby::HttpLobby(Options options)
    : options_(std::move(options)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      wakeup_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  epoll_event event{.events = EPOLLIN, .data = {.fd = wakeup_}};
  epoll_ctl(epoll_, EPOLL_CTL_ADD, wakeup_, &event);
  waiter_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "http-lobby");
    Wait();
  });
  for (int i = 0; i < options_.probe_threads + options_.page_threads; ++i) {
    servers_.emplace_back([this, i] {
      const bool probes = i < options_.probe_threads;
      pthread_setname_np(pthread_self(), probes ? "http-probe" : "http-page");
      Serve(probes ? &probes_ : &pages_);
    });
  }
}

HttpLobby::~HttpLobby() {
  {
    absl::MutexLock lock(&mutex_);
    stop_ = true;
  }
  Wake();
  waiter_.join();
  for (std::thread& server : servers_) server.join();
  for (const auto& [socket, since] : guests_) Close(socket);
  absl::MutexLock lock(&mutex_);
  for (const int socket : arrivals_) Close(socket);
  for (const std::deque<int>* queue : {&probes_, &pages_}) {
    for (const int socket : *queue) Close(socket);
  }
  close(wakeup_);
  close(epoll_);
}

void HttpLobby::Admit(int socket) {
  {
    absl::MutexLock lock(&mutex_);
    arrivals_.push_back(socket);
  }
  Wake();
}

void HttpLobby::Wake() {
  const uint64_t one = 1;
  // It fails only when it is due to wake up anyway.
  static_cast<void>(!write(wakeup_, &one, sizeof(one)));
}

void HttpLobby::Wait() {
  std::array<epoll_event, 64> events;
  // Late guests leave within this.
  constexpr int kTickMs = 500;
  while (true) {
    const int count = epoll_wait(epoll_, events.data(), events.size(),
                                 guests_.empty() ? -1 : kTickMs);
    for (int i = 0; i < count; ++i) {
      if (events[i].data.fd == wakeup_) {
        uint64_t ignored = 0;
        static_cast<void>(!read(wakeup_, &ignored, sizeof(ignored)));
        continue;
      }
      Look(events[i].data.fd, (events[i].events & EPOLLIN) == 0 ||
                                  (events[i].events & EPOLLRDHUP) != 0);
    }
    {
      absl::MutexLock lock(&mutex_);
      if (stop_) return;
    }
    TakeArrivals();
    DropLate();
  }
}

void HttpLobby::TakeArrivals() {
  std::vector<int> arrived;
  size_t busy = 0;
  {
    absl::MutexLock lock(&mutex_);
    arrived.swap(arrivals_);
    busy = busy_;
  }
  for (const int socket : arrived) {
    if (guests_.size() + busy >= options_.most) {
      const auto longest = std::min_element(
          guests_.begin(), guests_.end(),
          [](const auto& a, const auto& b) { return a.second < b.second; });
      if (longest == guests_.end()) {
        Close(socket);
        continue;
      }
      Drop(longest->first);
    }
    guests_[socket] = std::chrono::steady_clock::now();
    // Edge-triggered: what has come stays unread until all has.
    epoll_event event{.events = EPOLLIN | EPOLLRDHUP | EPOLLET,
                      .data = {.fd = socket}};
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event) != 0) Drop(socket);
  }
}

void HttpLobby::Look(int socket, bool hung_up) {
  std::array<char, kRoom> bytes;
  const ssize_t length =
      recv(socket, bytes.data(), bytes.size(), MSG_PEEK | MSG_DONTWAIT);
  if (length < 0 && (errno == EAGAIN || errno == EINTR) && !hung_up) return;
  if (length <= 0) return Drop(socket);
  const Arrival arrival =
      Judge({bytes.data(), static_cast<size_t>(length)}, bytes.size());
  if (arrival == Arrival::kPart) {
    if (hung_up) Drop(socket);
    return;
  }
  guests_.erase(socket);
  epoll_ctl(epoll_, EPOLL_CTL_DEL, socket, nullptr);
  absl::MutexLock lock(&mutex_);
  ++busy_;
  (arrival == Arrival::kProbe ? probes_ : pages_).push_back(socket);
}

void HttpLobby::DropLate() {
  const auto since = std::chrono::steady_clock::now() -
                     absl::ToChronoNanoseconds(options_.patience);
  std::vector<int> late;
  for (const auto& [socket, came] : guests_) {
    if (came < since) late.push_back(socket);
  }
  for (const int socket : late) Drop(socket);
}

void HttpLobby::Drop(int socket) {
  guests_.erase(socket);
  Close(socket);
}

void HttpLobby::Serve(std::deque<int>* queue) {
  while (true) {
    int socket = -1;
    {
      absl::MutexLock lock(&mutex_);
      const auto due = [this, queue] {
        mutex_.AssertHeld();
        return stop_ || !queue->empty();
      };
      mutex_.Await(absl::Condition(&due));
      if (stop_) return;
      socket = queue->front();
      queue->pop_front();
    }
    const bool stays = options_.serve(socket);
    if (!stays) Close(socket);
    {
      absl::MutexLock lock(&mutex_);
      --busy_;
      if (stays) arrivals_.push_back(socket);
    }
    if (stays) Wake();
  }
}

}  // namespace bandit::control

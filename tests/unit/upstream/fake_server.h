// SPDX-License-Identifier: Apache-2.0
// A model server on the test's own loop, and a client's call to it.
#ifndef BANDIT_TESTS_UNIT_UPSTREAM_FAKE_SERVER_H_
#define BANDIT_TESTS_UNIT_UPSTREAM_FAKE_SERVER_H_

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "asio/ip/tcp.hpp"
#include "router/http2/session.h"
#include "router/upstream/address.h"

namespace bandit::upstream {

// Answers every call with `body` and OK, at once or when told.
class FakeServer {
 public:
  FakeServer(http2::Loop& loop, const std::string& host, uint16_t port = 0,
             http2::SessionOptions options = {})
      : loop_(loop),
        options_(options),
        acceptor_(loop.io(), {asio::ip::make_address(host), port}) {
    Accept();
  }
  ~FakeServer() { Cut(); }

  Address address() const {
    const auto endpoint = acceptor_.local_endpoint();
    return {.host = endpoint.address().to_string(), .port = endpoint.port()};
  }

  // Takes no more connections and ends those there are.
  void Stop() {
    acceptor_.close();
    Cut();
  }
  void Cut() {
    for (const auto& session : std::vector(sessions)) session->Close("cut");
  }
  void SayGoAway() {
    for (const auto& session : std::vector(sessions)) session->Drain();
  }
  void AnswerAll() {
    hold = false;
    for (const auto& stream : streams_) {
      if (stream->ended && stream->session != nullptr) stream->Answer();
    }
  }

  std::vector<std::shared_ptr<http2::Session>> sessions;
  size_t accepted = 0;
  size_t calls = 0;
  std::vector<std::string> paths;
  bool hold = false;
  // Whether a connection is served at all, once the kernel took it.
  bool serves = true;
  std::string body = "answer";
  const char* grpc_status = "0";

 private:
  struct Served : http2::Stream {
    explicit Served(FakeServer& owner) : server(owner) {}

    http2::HeaderBlock* OnHeadersBegin() override { return &headers; }
    void OnHeaders(bool, bool) override {
      ++server.calls;
      server.paths.emplace_back(headers.Find(":path"));
    }
    void OnData(const http2::BlockRef&, const uint8_t*, size_t size) override {
      session->Consume(id, size);
    }
    void OnEnd() override {
      ended = true;
      if (!server.hold) Answer();
    }
    void OnClosed(uint32_t) override { session = nullptr; }
    Outgoing Peek(size_t max) override {
      Outgoing next{.size = std::min(max, out.size())};
      if (next.size < out.size()) return next;
      next.end = next.trailers = true;
      session->SubmitTrailers(id, trailers.fields());
      return next;
    }
    void Take(size_t size, http2::SliceQueue& to) override {
      out.MoveTo(to, session->loop().pool(), size);
    }

    void Answer() {
      if (answered) return;
      answered = true;
      response.AddBorrowed(":status", "200");
      response.AddBorrowed("content-type", "application/grpc");
      trailers.AddBorrowed("grpc-status", server.grpc_status);
      out.Copy(session->loop().pool(), http2::BlockPool::kSmall, server.body);
      session->SubmitResponse(id, response.fields(), false);
    }

    FakeServer& server;
    http2::Session* session = nullptr;
    int32_t id = 0;
    bool ended = false;
    bool answered = false;
    http2::HeaderBlock headers;
    http2::HeaderBlock response;
    http2::HeaderBlock trailers;
    http2::SliceQueue out;
  };

  void Accept() {
    acceptor_.async_accept(
        [this](std::error_code error, asio::ip::tcp::socket socket) {
          if (error) return;
          ++accepted;
          Serve(std::move(socket));
          Accept();
        });
  }

  void Serve(asio::ip::tcp::socket socket) {
    if (!serves) {
      silent_.push_back(std::move(socket));
      return;
    }
    http2::Session::Events events;
    events.on_stream = [this](http2::Session& session, int32_t id) {
      streams_.push_back(std::make_unique<Served>(*this));
      streams_.back()->session = &session;
      streams_.back()->id = id;
      return streams_.back().get();
    };
    events.on_dead = [this](http2::Session& session, const std::string&) {
      std::erase_if(sessions,
                    [&](const auto& s) { return s.get() == &session; });
    };
    auto session = std::make_shared<http2::Session>(
        loop_, http2::Session::Role::kServer, options_, std::move(events));
    sessions.push_back(session);
    session->Start(http2::PlainTransport(std::move(socket)));
  }

  http2::Loop& loop_;
  http2::SessionOptions options_;
  asio::ip::tcp::acceptor acceptor_;
  std::vector<std::unique_ptr<Served>> streams_;
  std::vector<asio::ip::tcp::socket> silent_;
};

// A call without a body.
struct FakeCall : http2::Stream {
  http2::HeaderBlock* OnHeadersBegin() override { return &headers; }
  void OnHeaders(bool, bool) override {}
  void OnData(const http2::BlockRef&, const uint8_t* data,
              size_t size) override {
    body.append(reinterpret_cast<const char*>(data), size);
    session->Consume(id, size);
  }
  void OnEnd() override {}
  void OnClosed(uint32_t code) override {
    closed = code;
    if (on_closed) on_closed();
  }
  Outgoing Peek(size_t) override { return {.size = 0, .end = true}; }
  void Take(size_t, http2::SliceQueue&) override {}
  void OnHeadersWritten() override { sent = true; }

  void Send(http2::Session& to) {
    session = &to;
    http2::HeaderBlock request;
    request.AddBorrowed(":method", "POST");
    request.AddBorrowed(":scheme", "http");
    request.AddBorrowed(":path", "/s/m");
    request.AddBorrowed(":authority", "host");
    id = to.SubmitRequest(request.fields(), true, this);
  }

  http2::Session* session = nullptr;
  int32_t id = 0;
  http2::HeaderBlock headers;
  std::string body;
  bool sent = false;
  std::optional<uint32_t> closed;
  std::function<void()> on_closed;
};

}  // namespace bandit::upstream

#endif  // BANDIT_TESTS_UNIT_UPSTREAM_FAKE_SERVER_H_

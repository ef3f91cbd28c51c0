// SPDX-License-Identifier: Apache-2.0
// A client session and a server session over a socket pair, on one loop.
#include "router/http2/session.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "asio/local/connect_pair.hpp"
#include "asio/local/stream_protocol.hpp"

namespace bandit::http2 {
namespace {

using Local = asio::local::stream_protocol;

// Records what it is told, and sends `to_send`.
class Recorder : public Stream {
 public:
  HeaderBlock* OnHeadersBegin() override {
    return header_sections++ == 0 ? &headers : &trailers;
  }
  void OnHeaders(bool is_complete, bool) override { complete = is_complete; }
  void OnData(const BlockRef&, const uint8_t* data, size_t size) override {
    body.append(reinterpret_cast<const char*>(data), size);
    if (consume) session->Consume(id, size);
  }
  void OnEnd() override { ended = true; }
  void OnClosed(uint32_t code) override { closed = code; }
  Outgoing Peek(size_t max) override {
    Outgoing next{.size = std::min(max, to_send.size())};
    if (next.size == to_send.size() && send_end) {
      next.end = true;
      if (!send_trailers.empty()) {
        next.trailers = true;
        session->SubmitTrailers(id, send_trailers.fields());
      }
    }
    return next;
  }
  void Take(size_t size, SliceQueue& out) override {
    to_send.MoveTo(out, session->loop().pool(), size);
  }
  void OnHeadersWritten() override { headers_written = true; }
  void OnEndWritten() override { end_written = true; }

  Session* session = nullptr;
  int32_t id = 0;
  HeaderBlock headers;
  HeaderBlock trailers;
  int header_sections = 0;
  std::string body;
  bool complete = false;
  bool ended = false;
  bool consume = true;
  bool headers_written = false;
  bool end_written = false;
  std::optional<uint32_t> closed;
  SliceQueue to_send;
  bool send_end = true;
  HeaderBlock send_trailers;
};

class SessionTest : public ::testing::Test {
 protected:
  ~SessionTest() override {
    client->Close("end of test");
    server->Close("end of test");
  }

  void Connect(const SessionOptions& options = {}) {
    client = std::make_shared<Session>(
        loop, Session::Role::kClient, options,
        Session::Events{
            .on_stream = nullptr,
            .on_dead = [this](Session&,
                              const std::string& why) { client_dead = why; },
            .on_settings = [this](Session&) { ++settled; }});
    server = std::make_shared<Session>(
        loop, Session::Role::kServer, options,
        Session::Events{
            .on_stream =
                [this](Session& session, int32_t id) {
                  auto& stream = served[id];
                  stream = std::make_unique<Recorder>();
                  stream->session = &session;
                  stream->id = id;
                  stream->consume = server_consumes;
                  return stream.get();
                },
            .on_dead = [this](Session&,
                              const std::string& why) { server_dead = why; },
            .on_settings = nullptr});
    Local::socket a(loop.io());
    Local::socket b(loop.io());
    asio::local::connect_pair(a, b);
    raw = b.native_handle();
    client->Start(PlainTransport(std::move(a)));
    server->Start(PlainTransport(std::move(b)));
  }

  // Runs until nothing more happens.
  void Settle() {
    while (loop.io().poll() > 0) loop.io().restart();
    loop.io().restart();
  }

  static HeaderBlock& Request(HeaderBlock& block) {
    block.AddBorrowed(":method", "POST");
    block.AddBorrowed(":scheme", "http");
    block.AddBorrowed(":path", "/s/m");
    block.AddBorrowed(":authority", "host");
    return block;
  }

  // A handler must live until it is told that its stream is closed, which for
  // some tests is when the fixture ends.
  Recorder& NewCall() {
    calls.push_back(std::make_unique<Recorder>());
    return *calls.back();
  }

  int32_t Send(Recorder& stream, const std::string& body) {
    stream.session = client.get();
    stream.to_send.Copy(loop.pool(), BlockPool::kMedium, body);
    HeaderBlock headers;
    stream.id =
        client->SubmitRequest(Request(headers).fields(), false, &stream);
    Settle();
    return stream.id;
  }

  Loop loop;
  std::shared_ptr<Session> client;
  std::shared_ptr<Session> server;
  std::map<int32_t, std::unique_ptr<Recorder>> served;
  std::vector<std::unique_ptr<Recorder>> calls;
  std::string client_dead;
  int settled = 0;  // Times that the client was told of SETTINGS.
  std::string server_dead;
  bool server_consumes = true;
  int raw = -1;
};

TEST_F(SessionTest, IsSettledWhenThePeersFirstSettingsHaveCome) {
  Connect({.max_concurrent_streams = 7});
  EXPECT_FALSE(client->settled());
  EXPECT_GT(client->max_streams(), 7u);
  Settle();
  EXPECT_TRUE(client->settled());
  EXPECT_EQ(client->max_streams(), 7u);
  Send(NewCall(), "question");
  EXPECT_EQ(settled, 1);
}

TEST_F(SessionTest, CarriesARequestAndItsResponseWithTrailers) {
  Connect();
  Recorder& call = NewCall();
  const int32_t id = Send(call, "question");
  Recorder& stream = *served.at(id);
  EXPECT_TRUE(call.headers_written);
  EXPECT_TRUE(stream.ended);
  EXPECT_EQ(stream.body, "question");
  EXPECT_EQ(stream.headers.Find(":path"), "/s/m");

  HeaderBlock response;
  response.AddBorrowed(":status", "200");
  stream.to_send.Copy(loop.pool(), BlockPool::kSmall, "answer");
  stream.send_trailers.AddBorrowed("grpc-status", "0");
  server->SubmitResponse(id, response.fields(), false);
  Settle();
  EXPECT_EQ(call.headers.Find(":status"), "200");
  EXPECT_EQ(call.body, "answer");
  EXPECT_EQ(call.trailers.Find("grpc-status"), "0");
  EXPECT_TRUE(stream.end_written);
  EXPECT_EQ(call.closed, NGHTTP2_NO_ERROR);
  EXPECT_EQ(stream.closed, NGHTTP2_NO_ERROR);
  EXPECT_EQ(client->stream_count(), 0u);
  EXPECT_EQ(server->stream_count(), 0u);
}

// Back-pressure: what is not consumed keeps the window closed.
TEST_F(SessionTest, AStreamSendsNoMoreThanItsWindowUntilConsumed) {
  server_consumes = false;
  Connect({.stream_window = 100000});
  Recorder& call = NewCall();
  const int32_t id = Send(call, std::string(300000, 'm'));
  Recorder& stream = *served.at(id);
  EXPECT_EQ(stream.body.size(), 100000u);
  // Another stream of the connection is not held up.
  Recorder& other = NewCall();
  const int32_t other_id = Send(other, "small");
  EXPECT_EQ(served.at(other_id)->body, "small");

  server->Consume(id, 100000);
  Settle();
  EXPECT_EQ(stream.body.size(), 200000u);
}

TEST_F(SessionTest, AResetReachesTheOtherSide) {
  Connect();
  Recorder& call = NewCall();
  call.send_end = false;
  const int32_t id = Send(call, "half");
  client->Reset(id, NGHTTP2_CANCEL);
  Settle();
  EXPECT_EQ(served.at(id)->closed, NGHTTP2_CANCEL);
  EXPECT_EQ(call.closed, NGHTTP2_CANCEL);
}

TEST_F(SessionTest, CloseTellsEveryStreamThenTheOwner) {
  Connect();
  Recorder& call = NewCall();
  const int32_t id = Send(call, "x");
  server->Close("gone");
  EXPECT_TRUE(served.at(id)->closed.has_value());
  EXPECT_EQ(server_dead, "gone");
  Settle();
  EXPECT_TRUE(call.closed.has_value());
  EXPECT_EQ(client_dead, "closed by the peer");
}

TEST_F(SessionTest, BytesThatAreNotHttp2EndTheConnectionOnly) {
  Connect();
  Settle();
  // A second, raw client.
  Local::socket a(loop.io());
  Local::socket b(loop.io());
  asio::local::connect_pair(a, b);
  std::string dead;
  auto victim = std::make_shared<Session>(
      loop, Session::Role::kServer, SessionOptions{},
      Session::Events{
          .on_stream = nullptr,
          .on_dead = [&](Session&, const std::string& why) { dead = why; }});
  victim->Start(PlainTransport(std::move(b)));
  a.write_some(asio::buffer(std::string("GET / HTTP/1.1\r\nHost: x\r\n\r\n")));
  Settle();
  EXPECT_FALSE(dead.empty());
  Recorder& call = NewCall();
  const int32_t id = Send(call, "still here");
  EXPECT_EQ(served.at(id)->body, "still here");
}

TEST_F(SessionTest, HeadersPastTheLimitAreReportedIncomplete) {
  Connect({.max_header_list = 1000});
  Recorder& call = NewCall();
  call.session = client.get();
  const std::string large(2000, 'v');
  HeaderBlock headers;
  Request(headers).AddBorrowed("x-large", large);
  const int32_t id = client->SubmitRequest(headers.fields(), true, &call);
  Settle();
  EXPECT_FALSE(served.at(id)->complete);
  EXPECT_EQ(served.at(id)->headers.Find("x-large").data(), nullptr);
}

TEST_F(SessionTest, DrainLetsOpenStreamsFinishAndTakesNoNewOnes) {
  Connect();
  Recorder& call = NewCall();
  call.send_end = false;
  const int32_t id = Send(call, "first half");
  server->Drain();
  Settle();
  EXPECT_TRUE(client->draining());
  HeaderBlock headers;
  Recorder& late = NewCall();
  EXPECT_LT(client->SubmitRequest(Request(headers).fields(), true, &late), 0);

  call.send_end = true;
  client->Resume(id);
  HeaderBlock response;
  response.AddBorrowed(":status", "200");
  server->SubmitResponse(id, response.fields(), true);
  Settle();
  EXPECT_EQ(call.closed, NGHTTP2_NO_ERROR);
  EXPECT_EQ(server_dead, "finished");
}

TEST_F(SessionTest, CapacityIsThePeersConcurrentStreams) {
  Connect({.max_concurrent_streams = 2});
  Settle();
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(client->HasCapacity());
    Recorder& call = NewCall();
    call.send_end = false;
    Send(call, "x");
  }
  EXPECT_FALSE(client->HasCapacity());
}

TEST_F(SessionTest, LargeBodiesPassInBothDirections) {
  Connect();
  Recorder& call = NewCall();
  std::string body(5'000'000, 'a');
  for (size_t i = 0; i < body.size(); ++i) {
    body[i] = static_cast<char>('a' + i % 26);
  }
  const int32_t id = Send(call, body);
  Recorder& stream = *served.at(id);
  EXPECT_EQ(stream.body, body);
  HeaderBlock response;
  response.AddBorrowed(":status", "200");
  stream.to_send.Copy(loop.pool(), BlockPool::kMedium, body);
  server->SubmitResponse(id, response.fields(), false);
  Settle();
  EXPECT_EQ(call.body, body);
  EXPECT_TRUE(call.ended);
}

TEST_F(SessionTest, AnInterimResponseComesBeforeTheFinalOne) {
  Connect();
  Recorder& call = NewCall();
  const int32_t id = Send(call, "x");
  HeaderBlock interim;
  interim.AddBorrowed(":status", "103");
  server->SubmitInterim(id, interim.fields());
  Settle();
  EXPECT_EQ(call.headers.Find(":status"), "103");
  EXPECT_FALSE(call.ended);
}

}  // namespace
}  // namespace bandit::http2

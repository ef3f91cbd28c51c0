// SPDX-License-Identifier: Apache-2.0
// Two ends of TLS over a socket pair, with certificates made for the test.
#include "router/http2/tls_transport.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <random>
#include <string>
#include <vector>

#include "asio/local/connect_pair.hpp"
#include "asio/local/stream_protocol.hpp"
#include "router/tls/context.h"
#include "tests/unit/tls/test_certificates.h"

namespace bandit::http2 {
namespace {

using ::testing::HasSubstr;
using Local = asio::local::stream_protocol;
using State = Transport::Result::State;

class TlsTransportTest : public ::testing::Test {
 protected:
  TlsTransportTest() {
    files.Write("ca.pem", ca.certificate_pem);
    Put("server", {"DNS:a.test"});
    server_config.set_certificate(files.Path("server.pem"));
    server_config.set_key(files.Path("server.key"));
    server_config.set_min_version("1.2");
    client_config.set_ca(files.Path("ca.pem"));
    client_config.set_min_version("1.2");
  }

  void Put(const std::string& name, const std::vector<std::string>& names) {
    const testing::Identity made =
        testing::MakeIdentity({.names = names, .issuer = &ca});
    files.Write(name + ".pem", made.certificate_pem);
    files.Write(name + ".key", made.key_pem);
  }

  void MakeContexts() {
    server_context = *tls::ServerContext::Make(
        server_config, *tls::ServerFiles::Read(server_config));
    client_context = *tls::ClientContext::Make(
        client_config, *tls::ClientFiles::Read(client_config));
  }

  // New ends of a new connection.
  void Connect() {
    if (server_context == nullptr) MakeContexts();
    Local::socket a(io);
    Local::socket b(io);
    asio::local::connect_pair(a, b);
    auto connection = client_context->Connect("a.test", "endpoint");
    client_ssl = connection->ssl();
    client_socket = a.native_handle();
    client = std::make_unique<TlsTransport>(std::move(a), std::move(connection),
                                            nullptr);
    server = std::make_unique<TlsTransport>(
        std::move(b), server_context->Accept(),
        [this](const std::string&, const std::string& problem) {
          server_problem = problem;
        });
  }

  // The server shakes hands as it reads, as a session lets it.
  State Shake() {
    for (int i = 0; i < 20; ++i) {
      const State state = client->Handshake().state;
      uint8_t byte;
      if (server_problem.empty()) {
        EXPECT_NE(server->Read(&byte, 1).state, State::kDone);
      }
      if (state != State::kWouldBlock) return state;
    }
    return State::kWouldBlock;
  }

  static Transport::Result Write(Transport& to, std::string_view text) {
    const iovec vector = {const_cast<char*>(text.data()), text.size()};
    return to.Write(&vector, 1);
  }

  // All that can be read now.
  static std::string Read(Transport& from, size_t at_once = 65536) {
    std::string text;
    std::string piece(at_once, '\0');
    for (;;) {
      const auto result =
          from.Read(reinterpret_cast<uint8_t*>(piece.data()), piece.size());
      if (result.state != State::kDone) return text;
      text.append(piece, 0, result.size);
    }
  }

  const testing::TemporaryFiles files;
  const testing::Identity ca = testing::MakeIdentity({.authority = true});
  v1::ListenTlsConfig server_config;
  v1::BackendTlsConfig client_config;
  std::shared_ptr<const tls::ServerContext> server_context;
  std::shared_ptr<const tls::ClientContext> client_context;
  asio::io_context io;
  std::unique_ptr<TlsTransport> client;
  std::unique_ptr<TlsTransport> server;
  std::string server_problem;
  SSL* client_ssl = nullptr;
  int client_socket = -1;
};

TEST_F(TlsTransportTest, CarriesBytesBothWays) {
  Connect();
  ASSERT_EQ(Shake(), State::kDone);
  EXPECT_EQ(Write(*client, "there").size, 5u);
  EXPECT_EQ(Read(*server), "there");
  EXPECT_EQ(Write(*server, "and back").size, 8u);
  EXPECT_EQ(Read(*client), "and back");
  EXPECT_EQ(Read(*server), "");
}

TEST_F(TlsTransportTest, TheHandshakeIsAPartOfReadingAndWriting) {
  Connect();
  EXPECT_EQ(Write(*server, "settings").state, State::kWouldBlock);
  EXPECT_EQ(Write(*client, "preface").state, State::kWouldBlock);
  EXPECT_EQ(Write(*server, "settings").state, State::kWouldBlock);
  EXPECT_EQ(Write(*client, "preface").state, State::kDone);
  EXPECT_EQ(Read(*server), "preface");
  EXPECT_EQ(Write(*server, "settings").state, State::kDone);
  EXPECT_EQ(Read(*client), "settings");
}

// What came with the last bytes of the handshake, read ahead while a write made
// it, must reach a reader that waits for the socket.
TEST_F(TlsTransportTest, AReaderHearsOfBytesThatTheHandshakeReadAhead) {
  Connect();
  Write(*client, "x");
  EXPECT_EQ(Write(*server, "x").state, State::kWouldBlock);
  bool readable = false;
  server->WaitRead([&] { readable = true; });
  EXPECT_EQ(Write(*client, "preface").state, State::kDone);
  EXPECT_EQ(Write(*server, "x").state, State::kDone);
  io.run();
  EXPECT_TRUE(readable);
  EXPECT_EQ(Read(*server), "preface");
}

TEST_F(TlsTransportTest, ManySlicesArriveInOrderThroughASmallSocket) {
  Connect();
  ASSERT_EQ(Shake(), State::kDone);
  std::mt19937 random(1);
  std::string sent(3'000'000, '\0');
  for (char& c : sent) c = static_cast<char>(random());
  std::string received;
  size_t at = 0;
  size_t blocked = 0;
  while (received.size() < sent.size()) {
    // Slices of all sizes; after a refusal the same bytes, and some more.
    std::array<iovec, 64> vectors;
    int count = 0;
    size_t end = at;
    for (; count < 64 && end < sent.size(); ++count) {
      const size_t size =
          std::min<size_t>(sent.size() - end, 1 + random() % 20'000);
      vectors[count] = {sent.data() + end, size};
      end += size;
    }
    if (count > 0) {
      const auto result = client->Write(vectors.data(), count);
      ASSERT_NE(result.state, State::kClosed) << result.error.message();
      if (result.state == State::kDone) at += result.size;
      if (result.state == State::kDone) continue;
      ++blocked;
    }
    received += Read(*server, 1 + random() % 40'000);
  }
  EXPECT_EQ(received, sent);
  EXPECT_GT(blocked, 0u);
}

TEST_F(TlsTransportTest, WhatIsLeftToReadNeedsNoFurtherByte) {
  Connect();
  ASSERT_EQ(Shake(), State::kDone);
  Write(*client, std::string(10'000, 'x'));
  std::array<uint8_t, 100> some;
  EXPECT_EQ(server->Read(some.data(), some.size()).size, some.size());
  bool readable = false;
  server->WaitRead([&] { readable = true; });
  io.run();
  EXPECT_TRUE(readable);
  EXPECT_EQ(Read(*server).size(), 9'900u);
  io.restart();
  readable = false;
  server->WaitRead([&] { readable = true; });
  io.poll();
  EXPECT_FALSE(readable);
}

TEST_F(TlsTransportTest, AnEndIsAnEndWithAndWithoutNotice) {
  for (const bool notice : {true, false}) {
    Connect();
    ASSERT_EQ(Shake(), State::kDone);
    Write(*client, "last");
    Read(*client);  // What is not read at the end is answered with a reset.
    if (notice) {
      client->Close();
    } else {
      client.reset();
    }
    EXPECT_EQ(Read(*server), "last");
    uint8_t byte;
    const auto end = server->Read(&byte, 1);
    EXPECT_EQ(end.state, State::kClosed);
    EXPECT_FALSE(end.error) << end.error.message();
  }
}

TEST_F(TlsTransportTest, AfterItsOwnEndItStillReads) {
  Connect();
  ASSERT_EQ(Shake(), State::kDone);
  Write(*server, "last words");
  server->Shutdown();
  EXPECT_EQ(Write(*client, "late").size, 4u);
  EXPECT_EQ(Read(*server), "late");
  EXPECT_EQ(Read(*client), "last words");
  uint8_t byte;
  const auto end = client->Read(&byte, 1);
  EXPECT_EQ(end.state, State::kClosed);
  EXPECT_FALSE(end.error);
}

TEST_F(TlsTransportTest, NothingIsCalledAfterClose) {
  Connect();
  bool called = false;
  server->WaitRead([&] { called = true; });
  server->WaitWrite([&] { called = true; });
  server->Close();
  io.run();
  EXPECT_FALSE(called);
}

TEST_F(TlsTransportTest, AnotherNameIsRefusedInWords) {
  Put("server", {"DNS:b.test"});
  Connect();
  EXPECT_EQ(Shake(), State::kClosed);
  EXPECT_EQ(client->problem(),
            "certificate verify failed: it is for b.test, expected \"a.test\"; "
            "set tls.server_name");
  EXPECT_THAT(server_problem, HasSubstr("bad certificate"));
}

TEST_F(TlsTransportTest, AnotherNameMayBeAllowed) {
  Put("server", {"DNS:b.c.test"});
  client_config.add_server_names("*.c.test");
  Connect();
  EXPECT_EQ(Shake(), State::kDone);
}

TEST_F(TlsTransportTest, AnUnknownAuthorityIsRefusedWithTheRemedy) {
  files.Write("ca.pem", testing::MakeIdentity({}).certificate_pem);
  Connect();
  EXPECT_EQ(Shake(), State::kClosed);
  EXPECT_THAT(client->problem(), HasSubstr("certificate verify failed"));
  EXPECT_THAT(client->problem(), HasSubstr("; set tls.ca"));
}

TEST_F(TlsTransportTest, AnIntermediateIsTrustedAsItStands) {
  const testing::Identity middle =
      testing::MakeIdentity({.issuer = &ca, .authority = true});
  const testing::Identity leaf =
      testing::MakeIdentity({.names = {"DNS:a.test"}, .issuer = &middle});
  files.Write("server.pem", leaf.certificate_pem);
  files.Write("server.key", leaf.key_pem);
  files.Write("ca.pem", middle.certificate_pem);
  Connect();
  EXPECT_EQ(Shake(), State::kDone);
}

TEST_F(TlsTransportTest, AChainIsSentWithItsIntermediates) {
  const testing::Identity middle =
      testing::MakeIdentity({.issuer = &ca, .authority = true});
  const testing::Identity leaf =
      testing::MakeIdentity({.names = {"DNS:a.test"}, .issuer = &middle});
  files.Write("server.pem", leaf.certificate_pem + middle.certificate_pem);
  files.Write("server.key", leaf.key_pem);
  Connect();
  EXPECT_EQ(Shake(), State::kDone);
}

TEST_F(TlsTransportTest, ClientsAreJudgedByNameAgainWhenTheyResume) {
  Put("client", {"DNS:shop.apps.test"});
  client_config.set_certificate(files.Path("client.pem"));
  client_config.set_key(files.Path("client.key"));
  server_config.set_client_ca(files.Path("ca.pem"));
  server_config.add_client_names("*.apps.test");
  for (const bool resumed : {false, true}) {
    Connect();
    ASSERT_EQ(Shake(), State::kDone);
    Write(*server, "ticket and all");
    EXPECT_EQ(Read(*client), "ticket and all");
    EXPECT_EQ(SSL_session_reused(client_ssl) == 1, resumed);
  }
  // A change of the config makes a new context, and its tickets are no good.
  server_config.set_client_names(0, "*.other.test");
  server_context = *tls::ServerContext::Make(
      server_config, *tls::ServerFiles::Read(server_config));
  Connect();
  Shake();
  EXPECT_THAT(server_problem, HasSubstr("expected one of client_names"));
}

TEST_F(TlsTransportTest, VersionsThatHaveNothingInCommon) {
  server_config.set_min_version("1.3");
  Connect();
  SSL_set_max_proto_version(client_ssl, TLS1_2_VERSION);
  EXPECT_EQ(Shake(), State::kClosed);
  EXPECT_THAT(server_problem, HasSubstr("unsupported protocol"));
}

TEST_F(TlsTransportTest, HttpInCleartextIsAnswered) {
  Connect();
  Local::socket a(io);
  Local::socket b(io);
  asio::local::connect_pair(a, b);
  server = std::make_unique<TlsTransport>(
      std::move(b), server_context->Accept(),
      [this](const std::string&, const std::string& problem) {
        server_problem = problem;
      });
  auto plain = PlainTransport(std::move(a));
  Write(*plain, "GET / HTTP/1.1\r\n\r\n");
  uint8_t byte;
  const auto end = server->Read(&byte, 1);
  EXPECT_EQ(end.state, State::kClosed);
  EXPECT_EQ(end.error.message(), "the TLS handshake failed");
  EXPECT_EQ(server_problem, "the client speaks no TLS");
  EXPECT_THAT(Read(*plain), HasSubstr("HTTP/1.1 400 "));
}

TEST_F(TlsTransportTest, GarbageEndsTheConnection) {
  Connect();
  ASSERT_EQ(Shake(), State::kDone);
  // Under the client's TLS, into the same socket.
  const std::string record =
      std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'x');
  ASSERT_EQ(::send(client_socket, record.data(), record.size(), 0), 37);
  uint8_t byte;
  const auto end = server->Read(&byte, 1);
  EXPECT_EQ(end.state, State::kClosed);
  EXPECT_THAT(end.error.message(), HasSubstr("TLS: "));
}

}  // namespace
}  // namespace bandit::http2

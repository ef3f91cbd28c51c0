// SPDX-License-Identifier: Apache-2.0
#include "router/http2/transport.h"

#include <gtest/gtest.h>

#include <array>

#include "asio/ip/tcp.hpp"
#include "asio/local/connect_pair.hpp"
#include "asio/local/stream_protocol.hpp"

namespace bandit::http2 {
namespace {

using Local = asio::local::stream_protocol;

TEST(TransportTest, NamesEndpointsAsPeopleWriteThem) {
  using asio::ip::make_address;
  using asio::ip::tcp;
  EXPECT_EQ(EndpointName(tcp::endpoint(make_address("127.0.0.1"), 80)),
            "127.0.0.1:80");
  EXPECT_EQ(EndpointName(tcp::endpoint(make_address("::1"), 8001)),
            "[::1]:8001");
  EXPECT_EQ(EndpointName(Local::endpoint("/run/m.sock")), "unix:/run/m.sock");
  EXPECT_EQ(EndpointName(Local::endpoint(std::string("\0name", 5))),
            "unix-abstract:name");
}

TEST(TransportTest, TellsNoDataFromTheEnd) {
  asio::io_context io;
  Local::socket a(io);
  Local::socket b(io);
  asio::local::connect_pair(a, b);
  auto reader = PlainTransport(std::move(a));
  auto writer = PlainTransport(std::move(b));

  std::array<uint8_t, 8> buffer;
  using State = Transport::Result::State;
  EXPECT_EQ(reader->Read(buffer.data(), 8).state, State::kWouldBlock);
  std::string text = "hi";
  const iovec vector = {text.data(), 2};
  EXPECT_EQ(writer->Write(&vector, 1).size, 2u);
  EXPECT_EQ(reader->Read(buffer.data(), 8).size, 2u);
  writer->Close();
  const Transport::Result end = reader->Read(buffer.data(), 8);
  EXPECT_EQ(end.state, State::kClosed);
  EXPECT_FALSE(end.error);
}

TEST(TransportTest, CallsReadyWhenBytesCome) {
  asio::io_context io;
  Local::socket a(io);
  Local::socket b(io);
  asio::local::connect_pair(a, b);
  auto reader = PlainTransport(std::move(a));
  auto writer = PlainTransport(std::move(b));
  bool ready = false;
  reader->WaitRead([&] { ready = true; });
  io.poll();
  EXPECT_FALSE(ready);
  std::string text = "x";
  const iovec vector = {text.data(), 1};
  writer->Write(&vector, 1);
  io.run_one();
  EXPECT_TRUE(ready);
}

}  // namespace
}  // namespace bandit::http2

// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/proxy/load_connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "tests/bench/proxy/message.h"

namespace bandit::bench {

LoadConnection::LoadConnection(asio::ip::tcp::socket socket,
                               LoadGenerator* generator)
    : Http2Connection(std::move(socket), Side::kClient),
      generator_(generator),
      authority_(fmt::format("127.0.0.1:{}", generator->options().port)),
      delay_(fmt::format("{}", generator->options().delay_ms)),
      timeout_(fmt::format("{}m", generator->options().deadline_ms)) {}

void LoadConnection::Send(Clock::time_point due) {
  generator_->Began();
  if (ended_) {
    generator_->Ended(Outcome::kConnection, due);
    return;
  }
  if (idle_.empty()) {
    requests_.push_back(std::make_unique<Request>());
    idle_.push_back(requests_.back().get());
  }
  Request* request = idle_.back();
  idle_.pop_back();
  *request = Request{.due = due};

  // What a gRPC C++ client sends, and one field that differs each time.
  const auto user = fmt::format_int(generator_->RandomUser());
  std::array<nghttp2_nv, 11> headers = {
      Field(":method", "POST"),
      Field(":scheme", "http"),
      Field(":path", "/inference.GRPCInferenceService/ModelInfer"),
      Field(":authority", authority_),
      Field("content-type", "application/grpc"),
      Field("te", "trailers"),
      Field("user-agent", "grpc-c++/1.51.1 grpc-c/29.0.0 (linux; chttp2)"),
      Field("grpc-accept-encoding", "identity, deflate, gzip"),
      Field("x-user-id", {user.data(), user.size()})};
  size_t fields = 9;
  if (generator_->options().delay_ms > 0) {
    headers[fields++] = Field("x-bench-delay-ms", delay_);
  }
  if (generator_->options().deadline_ms > 0) {
    headers[fields++] = Field("grpc-timeout", timeout_);
  }
  nghttp2_data_provider body;
  body.source.ptr = request;
  body.read_callback = &LoadConnection::Fill;
  nghttp2_submit_request(session(), nullptr, headers.data(), fields, &body,
                         request);
}

ssize_t LoadConnection::Fill(nghttp2_session*, int32_t, uint8_t* to,
                             size_t room, uint32_t* flags,
                             nghttp2_data_source* source, void* self) {
  auto* request = static_cast<Request*>(source->ptr);
  const std::string& message =
      static_cast<LoadConnection*>(static_cast<Http2Connection*>(self))
          ->generator_->message();
  const size_t size = std::min(room, message.size() - request->sent);
  std::memcpy(to, message.data() + request->sent, size);
  request->sent += size;
  if (request->sent == message.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
  return static_cast<ssize_t>(size);
}

LoadConnection::Request* LoadConnection::Of(int32_t stream) {
  return static_cast<Request*>(
      nghttp2_session_get_stream_user_data(session(), stream));
}

void LoadConnection::OnHeader(int32_t stream, std::string_view name,
                              std::string_view value) {
  Request* request = Of(stream);
  if (request == nullptr) return;
  if (name == ":status") {
    request->http_ok = value == "200";
  } else if (name == "grpc-status") {
    request->grpc_ok = value == "0";
    if (!request->grpc_ok) request->grpc_status = value;
  } else if (name == "grpc-message") {
    request->grpc_message = value;
  }
}

void LoadConnection::OnData(int32_t stream, size_t bytes) {
  if (Request* request = Of(stream)) request->received += bytes;
}

Outcome LoadConnection::Judge(const Request& request,
                              uint32_t error_code) const {
  if (error_code != NGHTTP2_NO_ERROR) return Outcome::kReset;
  if (!request.http_ok) return Outcome::kHttpStatus;
  if (!request.grpc_ok) return Outcome::kGrpcStatus;
  if (request.received != generator_->message().size()) {
    return Outcome::kLength;
  }
  return Outcome::kOk;
}

void LoadConnection::OnStreamClose(int32_t stream, uint32_t error_code) {
  Request* request = Of(stream);
  if (request == nullptr) return;
  idle_.push_back(request);
  const Outcome outcome = Judge(*request, error_code);
  if (outcome == Outcome::kOk) {
    generator_->Ended(outcome, request->due);
  } else {
    generator_->Ended(
        outcome, request->due,
        fmt::format("http/2 error {}, grpc-status {}: {}", error_code,
                    request->grpc_status, request->grpc_message));
  }
  const bool closed_loop = generator_->options().rate == 0;
  if (closed_loop && generator_->sending()) Send(Clock::now());
}

void LoadConnection::OnEnd() {
  ended_ = true;
  const size_t lost = requests_.size() - idle_.size();
  for (size_t i = 0; i < lost; ++i) {
    generator_->Ended(Outcome::kConnection, Clock::now());
  }
}

}  // namespace bandit::bench

// SPDX-License-Identifier: Apache-2.0
#include "router/upstream/health_check.h"

#include <fmt/format.h>
#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <utility>

namespace bandit::upstream {
namespace {

constexpr size_t kPrefix = 5;
// HealthCheckResponse is two bytes; what is longer is not one.
constexpr size_t kLongestResponse = 256;
constexpr uint64_t kServing = 1;

// Appends `value` as a base 128 varint.
void AppendVarint(uint64_t value, std::string* out) {
  for (; value > 0x7F; value >>= 7) {
    out->push_back(static_cast<char>(value | 0x80));
  }
  out->push_back(static_cast<char>(value));
}

bool TakeVarint(std::string_view* bytes, uint64_t* value) {
  *value = 0;
  for (int shift = 0; shift < 64 && !bytes->empty(); shift += 7) {
    const auto byte = static_cast<uint8_t>(bytes->front());
    bytes->remove_prefix(1);
    *value |= uint64_t{byte & 0x7Fu} << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

// HealthCheckResponse.status, field 1; nothing if the message is malformed.
std::optional<uint64_t> StatusIn(std::string_view message) {
  uint64_t status = 0;
  while (!message.empty()) {
    uint64_t tag = 0;
    uint64_t value = 0;
    if (!TakeVarint(&message, &tag)) return std::nullopt;
    size_t skip = 0;
    switch (tag & 7) {
      case 0:
        if (!TakeVarint(&message, &value)) return std::nullopt;
        if (tag >> 3 == 1) status = value;
        break;
      case 1:
        skip = 8;
        break;
      case 2:
        if (!TakeVarint(&message, &value)) return std::nullopt;
        skip = value;
        break;
      case 5:
        skip = 4;
        break;
      default:
        return std::nullopt;
    }
    if (skip > message.size()) return std::nullopt;
    message.remove_prefix(skip);
  }
  return status;
}

// At most eight digits (gRPC over HTTP/2).
std::string GrpcTimeout(int64_t ns) {
  return fmt::format("{}m", std::max<int64_t>(1, ns / 1'000'000));
}

}  // namespace

std::string HealthRequest(std::string_view service) {
  std::string message;
  if (!service.empty()) {
    message.push_back(1 << 3 | 2);
    AppendVarint(service.size(), &message);
    message += service;
  }
  std::string framed(1, '\0');
  for (int shift = 24; shift >= 0; shift -= 8) {
    framed.push_back(static_cast<char>(message.size() >> shift));
  }
  return framed + message;
}

std::optional<std::string> WhyNotServing(std::string_view message) {
  if (message.size() < kPrefix || message[0] != 0) {
    return "the response is no HealthCheckResponse";
  }
  size_t size = 0;
  for (size_t i = 1; i < kPrefix; ++i) {
    size = size << 8 | static_cast<uint8_t>(message[i]);
  }
  message.remove_prefix(kPrefix);
  const std::optional<uint64_t> status =
      size == message.size() ? StatusIn(message) : std::nullopt;
  if (!status.has_value()) return "the response is no HealthCheckResponse";
  if (*status == kServing) return std::nullopt;
  constexpr std::string_view kNames[] = {"UNKNOWN", "SERVING", "NOT_SERVING",
                                         "SERVICE_UNKNOWN"};
  return *status < std::size(kNames) ? std::string(kNames[*status])
                                     : fmt::format("status {}", *status);
}

HealthCheck::HealthCheck(const HealthCheckOptions& options,
                         std::string authority, std::mt19937_64& random,
                         Events events)
    : options_(options),
      authority_(std::move(authority)),
      message_(HealthRequest(options.service)),
      timeout_(GrpcTimeout(options.timeout_ns)),
      random_(random),
      events_(std::move(events)) {}

int64_t HealthCheck::Tick(int64_t now_ns) {
  if (!concluded_) {
    if (now_ns < due_ns_) return due_ns_;
    if (sent_) {
      Conclude(fmt::format("no answer within {} ms",
                           options_.timeout_ns / 1'000'000));
    } else {
      concluded_ = true;
    }
    if (session_ != nullptr) session_->Reset(id_, NGHTTP2_CANCEL);
  }
  if (now_ns >= next_ns_) {
    const double jitter = static_cast<double>(random_() >> 11) * 0x1p-53 - 0.5;
    next_ns_ = now_ns + options_.interval_ns +
               static_cast<int64_t>(jitter * 0.2 *
                                    static_cast<double>(options_.interval_ns));
    due_ns_ = now_ns + options_.timeout_ns;
    Ask();
  }
  return concluded_ ? next_ns_ : due_ns_;
}

void HealthCheck::Ask() {
  concluded_ = false;
  if (session_ != nullptr) {
    // Not even the cancellation of the last one could be sent.
    Conclude("the connection is stuck");
    return;
  }
  sent_ = false;
  ended_ = false;
  sections_ = false;
  written_ = 0;
  response_.clear();
  headers_.Clear();
  trailers_.Clear();
  http2::Session* const session = events_.session();
  if (session == nullptr) {
    Conclude("no connection");
    return;
  }
  http2::HeaderBlock request;
  request.AddBorrowed(":method", "POST");
  request.AddBorrowed(":scheme", "http");
  request.AddBorrowed(":path", "/grpc.health.v1.Health/Check");
  request.AddBorrowed(":authority", authority_);
  request.AddBorrowed("te", "trailers");
  request.AddBorrowed("content-type", "application/grpc");
  request.AddBorrowed("grpc-timeout", timeout_);
  const int32_t id = session->SubmitRequest(request.fields(), false, this);
  if (id < 0) {
    concluded_ = true;
    return;
  }
  session_ = session;
  id_ = id;
}

void HealthCheck::Conclude(const std::string& why) {
  if (std::exchange(concluded_, true)) return;
  if (why.empty()) {
    ++good_;
    bad_ = 0;
  } else {
    ++bad_;
    good_ = 0;
  }
  const bool was = healthy_;
  if (healthy_ && bad_ >= options_.unhealthy_after) healthy_ = false;
  if (!healthy_ && good_ >= options_.healthy_after) healthy_ = true;
  events_.on_result(why);
  if (healthy_ != was) events_.on_change();
}

std::string HealthCheck::WhyBad() const {
  const http2::HeaderBlock& last = trailers_.empty() ? headers_ : trailers_;
  const std::string_view status = last.Find("grpc-status");
  if (status == "0") return WhyNotServing(response_).value_or("");
  if (status.data() != nullptr) {
    return fmt::format("grpc-status {}: {}", status, last.Find("grpc-message"));
  }
  return fmt::format("HTTP status {}", headers_.Find(":status"));
}

http2::HeaderBlock* HealthCheck::OnHeadersBegin() {
  if (concluded_) return nullptr;
  return std::exchange(sections_, true) ? &trailers_ : &headers_;
}

void HealthCheck::OnData(const http2::BlockRef&, const uint8_t* data,
                         size_t size) {
  if (response_.size() < kLongestResponse) {
    response_.append(reinterpret_cast<const char*>(data), size);
  }
  if (session_ != nullptr) session_->Consume(id_, size);
}

void HealthCheck::OnEnd() {
  ended_ = true;
  Conclude(WhyBad());
}

void HealthCheck::OnClosed(uint32_t error_code) {
  const std::string why = std::exchange(session_, nullptr)->close_reason();
  if (ended_) return;
  Conclude(!why.empty() ? why
                        : fmt::format("the stream was reset: {}",
                                      nghttp2_http2_strerror(error_code)));
}

http2::Stream::Outgoing HealthCheck::Peek(size_t max) {
  Outgoing next{.size = std::min(max, message_.size() - written_)};
  next.end = next.size + written_ == message_.size();
  return next;
}

void HealthCheck::Take(size_t size, http2::SliceQueue& out) {
  out.Copy(session_->loop().pool(), http2::BlockPool::kSmall,
           std::string_view(message_).substr(written_, size));
  written_ += size;
}

}  // namespace bandit::upstream

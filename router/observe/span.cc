// SPDX-License-Identifier: Apache-2.0
#include "router/observe/span.h"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "opentelemetry/trace_service.pb.h"
#include "router/observe/code_name.h"
#include "router/text/utf8.h"

namespace bandit::observe {
namespace {

class Attributes {
 public:
  explicit Attributes(otlp::Span* span) : span_(span) {}

  void Text(const char* key, std::string_view value) {
    if (!value.empty()) Add(key)->set_string_value(text::ValidUtf8(value));
  }
  void Int(const char* key, int64_t value) { Add(key)->set_int_value(value); }
  void Double(const char* key, double value) {
    Add(key)->set_double_value(value);
  }

 private:
  otlp::AnyValue* Add(const char* key) {
    otlp::KeyValue* const attribute = span_->add_attributes();
    attribute->set_key(key);
    return attribute->mutable_value();
  }

  otlp::Span* span_;
};

template <typename Id>
std::string Bytes(const Id& id) {
  return {reinterpret_cast<const char*>(id.data()), id.size()};
}

// Whether it is the server's failure, not only the call's.
bool IsServersFault(const Call& call) {
  switch (call.code) {
    case 2:   // UNKNOWN
    case 4:   // DEADLINE_EXCEEDED
    case 12:  // UNIMPLEMENTED
    case 13:  // INTERNAL
    case 14:  // UNAVAILABLE
    case 15:  // DATA_LOSS
      return true;
    default:
      return call.code >= 500;  // HTTP's.
  }
}

void DescribeRpc(const Call& call, otlp::Span* span) {
  Attributes attributes(span);
  std::string_view name = call.path;
  if (name.starts_with('/')) name.remove_prefix(1);
  span->set_name(text::ValidUtf8(name));
  attributes.Text("rpc.system", "grpc");
  const size_t slash = name.find('/');
  attributes.Text("rpc.service", name.substr(0, slash));
  if (slash != std::string_view::npos) {
    attributes.Text("rpc.method", name.substr(slash + 1));
  }
}

void DescribeHttp(const Call& call, otlp::Span* span) {
  Attributes attributes(span);
  // The path is no name: there are as many as callers make up.
  span->set_name(text::ValidUtf8(call.verb));
  attributes.Text("http.request.method", call.verb);
  attributes.Text("url.path", call.path.substr(0, call.path.find('?')));
}

}  // namespace

void FillSpan(const Call& call, otlp::Span* span) {
  span->set_trace_id(Bytes(call.trace.trace));
  span->set_span_id(Bytes(call.trace.span));
  if (call.has_parent) span->set_parent_span_id(Bytes(call.parent));
  span->set_flags(call.trace.flags);
  span->set_kind(otlp::Span::SPAN_KIND_SERVER);
  span->set_end_time_unix_nano(static_cast<uint64_t>(call.end_unix_ns));
  span->set_start_time_unix_nano(
      static_cast<uint64_t>(call.end_unix_ns - call.duration_ns));
  if (call.grpc) {
    DescribeRpc(call, span);
  } else {
    DescribeHttp(call, span);
  }
  Attributes attributes(span);
  attributes.Int(call.has_http_code() ? "http.response.status_code"
                                      : "rpc.grpc.status_code",
                 call.code);
  attributes.Text("server.address", call.authority);
  attributes.Text("client.address", call.peer);
  attributes.Text("bandit.experiment", call.experiment);
  attributes.Text("bandit.arm", call.arm);
  if (call.decided) {
    attributes.Double("bandit.propensity", call.propensity);
    attributes.Text("bandit.decision_id",
                    fmt::format("{:016x}", call.decision_id));
  }
  attributes.Text("bandit.backend", call.backend);
  attributes.Text("bandit.endpoint", call.endpoint);
  attributes.Int("bandit.retries", call.retries);
  if (IsServersFault(call)) {
    span->mutable_status()->set_code(otlp::Status::STATUS_CODE_ERROR);
    span->mutable_status()->set_message(CodeName(call.code));
  }
}

}  // namespace bandit::observe

// SPDX-License-Identifier: Apache-2.0
#include "router/observe/access_line.h"

#include <fmt/format.h>

#include <iterator>

#include "absl/time/time.h"
#include "router/observe/code_name.h"
#include "router/observe/hex.h"
#include "router/text/utf8.h"

namespace bandit::observe {
namespace {

// Writes an object's fields.
class Fields {
 public:
  explicit Fields(std::string* out) : out_(out) { *out_ += '{'; }
  ~Fields() { *out_ += '}'; }
  Fields(const Fields&) = delete;
  Fields& operator=(const Fields&) = delete;

  void Text(std::string_view name, std::string_view value) {
    if (value.empty()) return;
    Name(name);
    AppendJsonString(value, out_);
  }
  template <typename... Args>
  void Raw(std::string_view name, fmt::format_string<Args...> format,
           Args&&... args) {
    Name(name);
    fmt::format_to(std::back_inserter(*out_), format,
                   std::forward<Args>(args)...);
  }
  template <typename Id>
  void Hex(std::string_view name, const Id& id) {
    std::string text(2 * id.size(), ' ');
    WriteHex(id.data(), id.size(), text.data());
    Text(name, text);
  }

 private:
  void Name(std::string_view name) {
    if (!first_) *out_ += ',';
    first_ = false;
    *out_ += '"';
    *out_ += name;
    *out_ += "\":";
  }

  std::string* out_;
  bool first_ = true;
};

// RFC 3339 in UTC, to the microsecond.
std::string Time(int64_t unix_ns) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", absl::FromUnixNanos(unix_ns),
                          absl::UTCTimeZone());
}

double Milliseconds(int64_t ns) { return static_cast<double>(ns) * 1e-6; }

}  // namespace

void AppendJsonString(std::string_view text, std::string* out) {
  *out += '"';
  while (!text.empty()) {
    const size_t size = text::Utf8Size(text);
    const char c = text[0];
    if (size == 0) {
      *out += text::kReplacement;
    } else if (c == '"' || c == '\\') {
      *out += '\\';
      *out += c;
    } else if (static_cast<uint8_t>(c) < 0x20 || c == 0x7F) {
      fmt::format_to(std::back_inserter(*out), "\\u{:04x}",
                     static_cast<unsigned>(c));
    } else {
      *out += text.substr(0, size);
    }
    text.remove_prefix(size == 0 ? 1 : size);
  }
  *out += '"';
}

void AppendAccessLine(const Call& call, std::string* out) {
  {
    Fields fields(out);
    fields.Text("time", Time(call.end_unix_ns - call.duration_ns));
    fields.Raw("duration_ms", "{:.3f}", Milliseconds(call.duration_ns));
    if (call.ttfb_ns >= 0) {
      fields.Raw("ttfb_ms", "{:.3f}", Milliseconds(call.ttfb_ns));
    }
    fields.Text("code", CodeName(call.code));
    fields.Text("method", call.path.substr(0, call.path.find('?')));
    if (!call.grpc) fields.Text("http_method", call.verb);
    fields.Text("authority", call.authority);
    fields.Text("peer", call.peer);
    fields.Text("experiment", call.experiment);
    fields.Text("arm", call.arm);
    if (call.decided) {
      fields.Raw("propensity", "{}", call.propensity);
      fields.Raw("decision", "\"{:016x}\"", call.decision_id);
      fields.Raw("unit", "\"{:016x}\"", call.unit);
    }
    fields.Text("backend", call.backend);
    fields.Text("endpoint", call.endpoint);
    fields.Raw("retries", "{}", call.retries);
    fields.Raw("bytes_in", "{}", call.bytes_in);
    fields.Raw("bytes_out", "{}", call.bytes_out);
    if (call.has_trace) fields.Hex("trace_id", call.trace.trace);
    if (call.traced) fields.Hex("span_id", call.trace.span);
  }
  *out += '\n';
}

}  // namespace bandit::observe

// SPDX-License-Identifier: Apache-2.0
#include "router/dashboard/site.h"

#include <string_view>
#include <utility>

#include "fmt/format.h"
#include "router/dashboard/assets.h"
#include "router/dashboard/host.h"
#include "xxhash.h"

namespace bandit::dashboard {
namespace {

using control::HttpAnswer;
using control::HttpRequest;

// Everything comes from this server, nothing is inline, and nobody frames it.
constexpr char kPolicy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src 'self' data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'";

constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".txt", "text/plain; charset=utf-8"},
};

std::string TypeOf(std::string_view name) {
  for (const auto& [end, type] : kTypes) {
    if (name.ends_with(end)) return std::string(type);
  }
  return "application/octet-stream";
}

std::string TagOf(std::string_view bytes) {
  return fmt::format("\"{:016x}\"", XXH3_64bits(bytes.data(), bytes.size()));
}

// Whether the client has it: one of the tags of an If-None-Match.
bool Has(std::string_view tags, std::string_view tag) {
  return tags == "*" || tags.find(tag) != tags.npos;
}

void Secure(HttpAnswer* answer) {
  for (const auto& [name, value] :
       {std::pair("Content-Security-Policy", kPolicy),
        std::pair("X-Content-Type-Options", "nosniff"),
        std::pair("X-Frame-Options", "DENY"),
        std::pair("Referrer-Policy", "no-referrer"),
        std::pair("Cross-Origin-Opener-Policy", "same-origin"),
        std::pair("Cross-Origin-Resource-Policy", "same-origin"),
        // Ask each time; the ETag saves sending it again.
        std::pair("Cache-Control", "no-cache")}) {
    answer->headers.emplace_back(name, value);
  }
}

}  // namespace

Site::Site(Options options)
    : hosts_(std::move(options.hosts)), api_(std::move(options.api)) {
  for (const Asset& asset : Assets()) {
    files_["/" + std::string(asset.name)] = {.type = TypeOf(asset.name),
                                             .bytes = asset.bytes,
                                             .etag = TagOf(asset.bytes)};
  }
  files_["/"] = files_["/index.html"];
}

HttpAnswer Site::Answer(const HttpRequest& request) {
  HttpAnswer answer;
  if (IsTrustedHost(request.host, hosts_)) {
    answer = Find(request);
  } else {
    answer.status = 421;
    answer.body = fmt::format(
        "the dashboard is not called {}: use an address or localhost, or put "
        "the name into the config's admin_hosts\n",
        request.host);
  }
  Secure(&answer);
  return answer;
}

HttpAnswer Site::Find(const HttpRequest& request) {
  const bool api = request.path.starts_with("/api/");
  HttpAnswer answer;
  std::string tag;
  if (api) {
    answer = api_.Answer(request);
    if (request.method == "POST" || answer.status != 200) return answer;
    tag = TagOf(answer.body);
  } else if (const auto file = files_.find(request.path);
             file != files_.end()) {
    answer.type = file->second.type;
    tag = file->second.etag;
    if (!Has(request.if_none_match, tag)) {
      answer.body = std::string(file->second.bytes);
    }
  } else {
    answer.status = 404;
    answer.body =
        fmt::format("nothing is at {}; try /, /metrics, /healthz or /readyz\n",
                    request.path);
    return answer;
  }
  answer.headers.emplace_back("ETag", tag);
  if (Has(request.if_none_match, tag)) {
    answer.status = 304;
    answer.body.clear();
  }
  return answer;
}

}  // namespace bandit::dashboard

// SPDX-License-Identifier: Apache-2.0
#include "router/config/webhook_url.h"

#include <algorithm>

#include "router/config/scalar.h"

namespace bandit::config {
namespace {

bool IsVisible(char c) { return c > ' ' && c < 0x7f; }

// "host", "host:port", "[::1]:port".
bool IsAuthority(std::string_view authority) {
  std::string_view host = authority;
  const size_t colon = authority.rfind(':');
  const size_t bracket = authority.rfind(']');
  if (colon != std::string_view::npos &&
      (bracket == std::string_view::npos || colon > bracket)) {
    host = authority.substr(0, colon);
    const std::optional<Whole> port = ParseWhole(authority.substr(colon + 1));
    if (!port.has_value() || port->negative || port->magnitude < 1 ||
        port->magnitude > 65535) {
      return false;
    }
  }
  if (host.starts_with('[')) return host.ends_with(']') && host.size() > 2;
  return !host.empty() && host.find(':') == std::string_view::npos;
}

}  // namespace

std::optional<WebhookUrl> ParseWebhookUrl(std::string_view url) {
  const size_t scheme = url.starts_with("https://")  ? 8
                        : url.starts_with("http://") ? 7
                                                     : 0;
  if (scheme == 0 || !std::all_of(url.begin(), url.end(), IsVisible) ||
      url.find('#') != std::string_view::npos) {
    return std::nullopt;
  }
  const size_t path = std::min(url.find_first_of("/?", scheme), url.size());
  const std::string_view authority = url.substr(scheme, path - scheme);
  if (authority.find('@') != std::string_view::npos ||
      !IsAuthority(authority)) {
    return std::nullopt;
  }
  std::string target(url.substr(path));
  if (!target.starts_with('/')) target.insert(0, "/");
  return WebhookUrl{.origin = std::string(url.substr(0, path)),
                    .target = std::move(target)};
}

std::string WithoutUser(std::string_view url) {
  const size_t at = url.rfind('@');
  if (at == std::string_view::npos) return std::string(url);
  const size_t scheme = url.find("://");
  const size_t begin = scheme < at ? scheme + 3 : 0;
  return std::string(url.substr(0, begin)) + "***" +
         std::string(url.substr(at));
}

}  // namespace bandit::config

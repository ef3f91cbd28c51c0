// SPDX-License-Identifier: Apache-2.0
#include "router/dashboard/host.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>

#include "absl/strings/ascii.h"

namespace bandit::dashboard {
namespace {

constexpr std::string_view kInside[] = {".localhost", ".local", ".internal",
                                        ".svc", ".cluster.local"};

bool IsDigits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
}

// Without the port; empty if that is malformed.
std::string_view WithoutPort(std::string_view host) {
  if (host.starts_with('[')) {
    const size_t end = host.find(']');
    if (end == host.npos) return {};
    const std::string_view rest = host.substr(end + 1);
    if (!rest.empty() && (rest[0] != ':' || !IsDigits(rest.substr(1)))) {
      return {};
    }
    return host.substr(1, end - 1);
  }
  const size_t colon = host.find(':');
  if (colon == host.npos) return host;
  if (!IsDigits(host.substr(colon + 1))) return {};
  return host.substr(0, colon);
}

bool IsAddress(const std::string& name) {
  in6_addr ignored;
  return inet_pton(AF_INET, name.c_str(), &ignored) == 1 ||
         inet_pton(AF_INET6, name.c_str(), &ignored) == 1;
}

}  // namespace

bool IsTrustedHost(std::string_view host,
                   const std::vector<std::string>& allowed) {
  std::string name(WithoutPort(host));
  for (char& c : name) c = absl::ascii_tolower(static_cast<unsigned char>(c));
  if (name.ends_with('.')) name.pop_back();
  if (name.empty()) return false;
  if (name.find('.') == name.npos || IsAddress(name)) return true;
  return std::any_of(
             std::begin(kInside), std::end(kInside),
             [&](std::string_view end) { return name.ends_with(end); }) ||
         std::find(allowed.begin(), allowed.end(), name) != allowed.end();
}

}  // namespace bandit::dashboard

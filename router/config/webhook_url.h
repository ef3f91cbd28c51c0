// SPDX-License-Identifier: Apache-2.0
// The address of a webhook, in its parts.
#ifndef BANDIT_ROUTER_CONFIG_WEBHOOK_URL_H_
#define BANDIT_ROUTER_CONFIG_WEBHOOK_URL_H_

#include <optional>
#include <string>
#include <string_view>

namespace bandit::config {

struct WebhookUrl {
  // "https://hooks.example.com:8443".
  std::string origin;
  // "/path?query"; at least "/".
  std::string target;
};

// Nothing unless it is http:// or https:// with a host, without a user, a
// fragment, spaces and control characters.
std::optional<WebhookUrl> ParseWebhookUrl(std::string_view url);

// `url` with what stands before an @ left out, for messages.
std::string WithoutUser(std::string_view url);

}  // namespace bandit::config

#endif  // BANDIT_ROUTER_CONFIG_WEBHOOK_URL_H_

// SPDX-License-Identifier: Apache-2.0
#include "router/upstream/names.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace bandit::upstream {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;

}  // namespace

Names::Names(const std::vector<Address>& addresses, Resolver resolver,
             int64_t resolve_every_ns,
             std::function<void(const absl::Status&)> on_answer)
    : resolver_(std::move(resolver)),
      resolve_every_ns_(resolve_every_ns),
      on_answer_(std::move(on_answer)) {
  for (const Address& address : addresses) {
    names_.push_back({.address = address, .is_name = address.is_name()});
  }
}

std::vector<Address> Names::targets() const {
  std::vector<Address> targets;
  const auto add = [&](const Address& address) {
    const std::string text = address.ToString();
    for (const Address& target : targets) {
      if (target.ToString() == text) return;
    }
    targets.push_back(address);
  };
  for (const Name& name : names_) {
    if (name.answer.empty()) add(name.address);
    for (const Address& address : name.answer) add(address);
  }
  return targets;
}

int64_t Names::Tick(int64_t now_ns) {
  int64_t next = kNever;
  for (size_t i = 0; i < names_.size(); ++i) {
    Name& name = names_[i];
    if (!name.is_name || name.asked) continue;
    if (now_ns < name.due_ns) {
      next = std::min(next, name.due_ns);
      continue;
    }
    name.asked = true;
    name.asked_ns = now_ns;
    resolver_(name.address, [this, alive = alive_, i](auto answer) {
      if (*alive) OnAnswer(i, std::move(answer));
    });
  }
  return next;
}

void Names::Hurry(int64_t now_ns) {
  for (Name& name : names_) {
    name.due_ns =
        std::min(name.due_ns, std::max(now_ns, name.asked_ns + kSecondNs));
  }
}

void Names::OnAnswer(size_t index,
                     absl::StatusOr<std::vector<Address>> answer) {
  Name& name = names_[index];
  name.asked = false;
  if (answer.ok()) {
    name.failures = 0;
    name.due_ns = name.asked_ns + resolve_every_ns_;
    name.answer = *std::move(answer);
    for (Address& address : name.answer) address.name = name.address.host;
    on_answer_(absl::OkStatus());
    return;
  }
  const int64_t wait = kSecondNs << std::min(name.failures++, 20);
  name.due_ns = name.asked_ns + std::min(wait, resolve_every_ns_);
  const absl::string_view why = answer.status().message();
  on_answer_(absl::UnavailableError(
      fmt::format("{}: {}", name.address.ToString(),
                  std::string_view(why.data(), why.size()))));
}

}  // namespace bandit::upstream

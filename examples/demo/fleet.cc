// SPDX-License-Identifier: Apache-2.0
#include "examples/demo/fleet.h"

#include <signal.h>
#include <stdlib.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "absl/time/time.h"
#include "examples/demo/router_config.h"
#include "examples/digits/variants.h"
#include "fmt/format.h"

namespace bandit::demo {
namespace {

// Long enough for a sanitizer build on a busy machine.
constexpr absl::Duration kStartTimeout = absl::Seconds(30);
constexpr absl::Duration kStopGrace = absl::Seconds(5);

absl::Status WriteFile(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  file.close();
  if (file.fail()) {
    return absl::InternalError(
        fmt::format("cannot write {}: {}", path, std::strerror(errno)));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> MakeDirectory() {
  std::error_code error;
  std::string path =
      std::filesystem::temp_directory_path(error) / "bandit-demo-XXXXXX";
  if (error || mkdtemp(path.data()) == nullptr) {
    return absl::InternalError(
        fmt::format("cannot make a temporary directory: {}",
                    error ? error.message() : std::strerror(errno)));
  }
  return path;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Fleet>> Fleet::Start(
    const FleetInput& input, const std::atomic<bool>& stop) {
  absl::StatusOr<std::string> directory = MakeDirectory();
  if (!directory.ok()) return directory.status();
  std::unique_ptr<Fleet> fleet(new Fleet());
  fleet->directory_ = *std::move(directory);
  if (absl::Status status = fleet->StartServers(input, stop); !status.ok()) {
    return status;
  }
  if (absl::Status status = fleet->StartRouter(input, stop); !status.ok()) {
    return status;
  }
  return fleet;
}

Fleet::~Fleet() {
  while (!children_.empty()) {
    children_.back()->Stop(kStopGrace);
    children_.pop_back();
  }
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

absl::Status Fleet::StartServers(const FleetInput& input,
                                 const std::atomic<bool>& stop) {
  // All train at the same time.
  for (const digits::Variant& variant : digits::AllVariants()) {
    auto child = ChildProcess::Start(
        {input.server, "--variant", std::string(variant.name), "--data",
         input.data, "--listen", "127.0.0.1:0"},
        fmt::format("{}/{}.log", directory_, variant.name));
    if (!child.ok()) return child.status();
    children_.push_back(*std::move(child));
  }
  for (size_t i = 0; i < children_.size(); ++i) {
    const absl::StatusOr<std::string> line =
        children_[i]->WaitForLine("digits_server ready", kStartTimeout, stop);
    if (!line.ok()) return line.status();
    servers_.push_back({.variant = Field(*line, "variant"),
                        .accuracy_scanner = std::strtod(
                            Field(*line, "accuracy_scanner").c_str(), nullptr),
                        .accuracy_camera = std::strtod(
                            Field(*line, "accuracy_camera").c_str(), nullptr)});
    addresses_.push_back(fmt::format("127.0.0.1:{}", Field(*line, "port")));
  }
  return absl::OkStatus();
}

absl::Status Fleet::StartRouter(const FleetInput& input,
                                const std::atomic<bool>& stop) {
  RouterConfigInput config{.policy = input.policy,
                           .state_path = directory_ + "/state.db",
                           .variants = {},
                           .guardrail = input.guardrail};
  for (size_t i = 0; i < servers_.size(); ++i) {
    config.variants.emplace_back(servers_[i].variant, addresses_[i]);
  }
  const std::string text = RouterConfig(config);
  const std::string path = directory_ + "/router.yaml";
  if (absl::Status status = WriteFile(path, text); !status.ok()) return status;
  if (!input.keep_config.empty()) {
    if (absl::Status status = WriteFile(input.keep_config, text);
        !status.ok()) {
      return status;
    }
  }
  auto child = ChildProcess::Start({input.router, "--config", path},
                                   directory_ + "/router.log");
  if (!child.ok()) return child.status();
  children_.push_back(*std::move(child));
  const absl::StatusOr<std::string> line =
      children_.back()->WaitForLine("bandit-router ready", kStartTimeout, stop);
  if (!line.ok()) return line.status();
  listen_ = Field(*line, "listen");
  admin_ = Field(*line, "admin");
  return absl::OkStatus();
}

void Fleet::Degrade(const std::string& variant) {
  for (size_t i = 0; i < servers_.size(); ++i) {
    if (servers_[i].variant == variant) kill(children_[i]->pid(), SIGUSR1);
  }
}

absl::Status Fleet::Check() {
  for (const auto& child : children_) {
    if (const std::optional<std::string> ended = child->Ended()) {
      return absl::AbortedError(fmt::format(
          "{} ended with {}:\n{}", child->name(), *ended, child->LogTail()));
    }
  }
  return absl::OkStatus();
}

}  // namespace bandit::demo

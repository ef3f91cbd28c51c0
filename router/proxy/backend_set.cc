// SPDX-License-Identifier: Apache-2.0
#include "router/proxy/backend_set.h"

#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <utility>

#include "router/proxy/client_connections.h"

namespace bandit::proxy {
namespace {

using google::protobuf::util::MessageDifferencer;
using upstream::Backend;

std::shared_ptr<Backend> Kept(const experiment::Backend& spec,
                              const BackendSet& before) {
  if (before.plan == nullptr) return nullptr;
  for (size_t i = 0; i < before.backends->size(); ++i) {
    const experiment::Backend& old = before.plan->backends[i];
    if (old.name == spec.name &&
        MessageDifferencer::Equals(old.config, spec.config)) {
      return (*before.backends)[i];
    }
  }
  return nullptr;
}

}  // namespace

http2::SessionOptions SessionOptionsOf(const v1::LimitsConfig& limits) {
  const http2::SessionOptions client = ClientSessionOptions(limits);
  http2::SessionOptions options;
  options.stream_window = client.stream_window;
  options.connection_window = client.connection_window;
  options.max_concurrent_streams = client.max_concurrent_streams;
  options.max_header_list = client.max_header_list;
  return options;
}

std::vector<std::shared_ptr<Backend>> MakeBackends(
    http2::Loop& loop, const experiment::Plan& plan, const BackendSet& before,
    upstream::Circuits* circuits, tls::Credentials* credentials,
    std::mt19937_64& random) {
  const http2::SessionOptions session = SessionOptionsOf(plan.limits);
  const bool same_limits = before.plan != nullptr &&
                           SessionOptionsOf(before.plan->limits) == session;
  std::vector<std::shared_ptr<Backend>> backends;
  for (const experiment::Backend& spec : plan.backends) {
    std::shared_ptr<Backend> backend =
        same_limits ? Kept(spec, before) : nullptr;
    if (backend == nullptr) {
      upstream::BackendOptions options =
          upstream::OptionsOf(spec.name, spec.config, session);
      options.seed = random();
      if (spec.config.has_tls()) {
        options.pool.tls = credentials->backend(spec.config.tls());
      }
      if (circuits != nullptr) {
        options.circuit = circuits->Get(spec.name, spec.config.max_requests());
      }
      backend = std::make_shared<Backend>(loop, std::move(options));
      backend->Warm();
    }
    backends.push_back(std::move(backend));
  }
  return backends;
}

}  // namespace bandit::proxy

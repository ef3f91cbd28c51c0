// SPDX-License-Identifier: Apache-2.0
// The overlay experiments that a call is in, beside the one that chooses its
// backend: each draws an arm of its own, which sets metadata or the model.
#ifndef BANDIT_ROUTER_PROXY_OVERLAYS_H_
#define BANDIT_ROUTER_PROXY_OVERLAYS_H_

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "router/proxy/arm_choice.h"

namespace bandit::proxy {

// Thread-safety: none.   Cost: nothing for a plan without overlays; else no
// allocation once a call before was in as many.
class Overlays {
 public:
  explicit Overlays(WorkerState& worker) : worker_(worker) {}

  // Finds those that match. False: the answer depends on the model name, which
  // was not given.
  bool Match(const experiment::Plan& plan, http2::Headers headers,
             std::optional<std::string_view> model);
  // Draws an arm of each. The experiment whose arm the request names and that
  // has none of that name; null: there is none, all are drawn.
  const experiment::Experiment* Draw(Generation& generation,
                                     const http2::HeaderBlock& request,
                                     experiment::Places& places);
  bool empty() const { return used_ == 0; }

  // Those that are counted come last and win.
  void SetMetadata(http2::HeaderBlock* request) const;
  // `model` with what the arms override of it, the later ones winning.
  std::optional<experiment::ModelOverride> Model(
      std::optional<experiment::ModelOverride> model) const;
  // As ArmChoice's.
  void AddHeaders(http2::HeaderBlock* block);
  void Finish(const learning::CallRecord& call);
  void Reset();

 private:
  template <typename Visit>
  void ForEach(const Visit& visit) const;

  WorkerState& worker_;
  std::vector<size_t> matched_;
  // The first `used_` are drawn; the others wait for a later call.
  std::vector<std::unique_ptr<ArmChoice>> choices_;
  size_t used_ = 0;
};

}  // namespace bandit::proxy

#endif  // BANDIT_ROUTER_PROXY_OVERLAYS_H_

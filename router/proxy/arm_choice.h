// SPDX-License-Identifier: Apache-2.0
// Which arm serves a call, and the decision that says so.
//
// An arm whose backend is down is not drawn, and one that fails may hand the
// call to another, so the decision is settled (counted and signed) no sooner
// than it is certain which arm serves. A call that is not counted into the
// experiment gets an arm and no decision.
#ifndef BANDIT_ROUTER_PROXY_ARM_CHOICE_H_
#define BANDIT_ROUTER_PROXY_ARM_CHOICE_H_

#include <cstddef>
#include <optional>
#include <string>

#include "router/experiment/assignment.h"
#include "router/experiment/entry.h"
#include "router/http2/header_block.h"
#include "router/learning/call_counts.h"

namespace bandit::proxy {

struct WorkerState;
struct Generation;

// Thread-safety: none.
class ArmChoice {
 public:
  explicit ArmChoice(WorkerState& worker) : worker_(worker) {}

  // Draws an arm of the experiment, an index into the plan's, among those that
  // are eligible and whose backend is well; if there is none, takes the last
  // resort. A call that is not counted gets the arm that such calls get, well
  // or not: others are not for it. False: the request names an arm that the
  // experiment does not have; nothing was drawn. Ownership: borrows the rest
  // but `places` until Reset.
  bool Draw(Generation& generation, size_t experiment,
            const http2::HeaderBlock& request, experiment::Places& places);
  // Hands the call to another arm. False: there is none.
  // REQUIRES: not settled.
  bool FallBack();
  // Gives the request the arm's metadata, and takes away what else it has under
  // the keys of the experiment's arms. REQUIRES: drawn().
  void SetMetadata(http2::HeaderBlock* request) const;
  // From now on this arm serves. Does nothing the second time.
  void Settle();
  // The fields that name the decision, or why there is none; settles it.
  // Nothing was drawn: none.
  void AddHeaders(http2::HeaderBlock* block);
  // The call has ended.
  void Finish(const learning::CallRecord& call);

  bool drawn() const { return index_.has_value(); }
  bool settled() const { return settled_; }
  // There is a decision.
  bool counted() const { return drawn() && !uncounted_.has_value(); }
  // Of the plan's experiments.
  std::optional<size_t> index() const { return index_; }
  // REQUIRES: drawn().
  const experiment::Experiment& experiment() const;
  const experiment::Arm& arm() const;
  // REQUIRES: counted().
  const experiment::Decision& decision() const { return assignment_.decision; }

  void Reset();

 private:
  void LeaveOut(experiment::Uncounted why, size_t arm);
  // Of `eligible`, the arms whose backend can be reached.
  policies::ArmSet Well(policies::ArmSet eligible) const;

  WorkerState& worker_;
  Generation* generation_ = nullptr;
  const http2::HeaderBlock* request_ = nullptr;
  std::optional<size_t> index_;
  std::optional<experiment::Uncounted> uncounted_;
  // Of a call that is not counted, the arm alone.
  experiment::Assignment assignment_;
  std::string token_;
  bool settled_ = false;
};

}  // namespace bandit::proxy

#endif  // BANDIT_ROUTER_PROXY_ARM_CHOICE_H_

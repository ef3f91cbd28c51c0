// SPDX-License-Identifier: Apache-2.0
#include "router/control/lifecycle_status.h"

#include <string>

#include "router/control/proto_time.h"

namespace bandit::control {

void DescribeLife(const learning::LifeView& view, v1::LifecycleStatus* status) {
  const learning::Life& life = view.life;
  status->set_state(std::string(Name(life.state)));
  status->set_arm(life.arm);
  *status->mutable_changed() = ToProto(life.changed);
  status->set_who(life.who);
  status->set_why(life.why);
  status->set_ramp_share(experiment::ShareOf(view.stages, life.ramp));
  status->set_ramp_stages(static_cast<uint32_t>(view.stages.size()));
  if (life.ramp.stage < view.stages.size()) {
    status->set_ramp_stage(static_cast<uint32_t>(life.ramp.stage + 1));
    *status->mutable_ramp_elapsed() = ToProto(life.ramp.elapsed);
    const absl::Duration lasts = view.stages[life.ramp.stage].lasts;
    if (lasts != absl::InfiniteDuration()) {
      *status->mutable_ramp_lasts() = ToProto(lasts);
    }
  }
  status->set_held(view.held);
  if (!life.pending.has_value()) return;
  v1::PendingStatus* pending = status->mutable_pending();
  pending->set_act(std::string(Name(life.pending->act)));
  pending->set_arm(life.pending->arm);
  pending->set_who(life.pending->who);
  pending->set_why(life.pending->why);
  *pending->mutable_asked() = ToProto(life.pending->asked);
}

}  // namespace bandit::control

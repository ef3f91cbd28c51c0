// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/lifecycle_text.h"

#include "absl/time/time.h"
#include "fmt/format.h"

namespace bandit::cli {
namespace {

std::string Words(const google::protobuf::Duration& duration) {
  return absl::FormatDuration(absl::Trunc(
      absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos()),
      absl::Seconds(1)));
}

std::string Because(const std::string& why) {
  return why.empty() ? "" : ", because " + why;
}

std::string Ramp(const v1::LifecycleStatus& status) {
  std::string text = fmt::format("  ramp: {:g} % of the units, stage {} of {}",
                                 100 * status.ramp_share(), status.ramp_stage(),
                                 status.ramp_stages());
  if (status.has_ramp_lasts()) {
    text += fmt::format(", {} of {}", Words(status.ramp_elapsed()),
                        Words(status.ramp_lasts()));
  }
  if (!status.held().empty()) text += ", HELD: " + status.held();
  return text + "\n";
}

}  // namespace

std::string RenderLifecycle(const v1::LifecycleStatus& status) {
  std::string text;
  if (!status.state().empty() && status.state() != "running") {
    std::string state = status.state();
    if (state == "rolled_back") state = "rolled back";
    text += fmt::format(
        "  {}{}{}{}\n", state,
        status.arm().empty() ? "" : ", arm " + status.arm() + " for all",
        status.who().empty() ? "" : " by " + status.who(),
        Because(status.why()));
  } else if (status.ramp_stage() > 0) {
    text += Ramp(status);
  }
  if (status.has_pending()) {
    const v1::PendingStatus& pending = status.pending();
    text += fmt::format(
        "  waits for approval: {}{}{}{}\n", pending.act(),
        pending.arm().empty() ? "" : " " + pending.arm(),
        pending.who().empty() ? "" : ", asked for by " + pending.who(),
        Because(pending.why()));
  }
  return text;
}

}  // namespace bandit::cli

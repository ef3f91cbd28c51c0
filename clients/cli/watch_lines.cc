// SPDX-License-Identifier: Apache-2.0
// The renderings of clients/cli/watch_text.h that are appended.
#include "clients/cli/json.h"
#include "clients/cli/report_format.h"
#include "clients/cli/status_format.h"
#include "clients/cli/watch_text.h"
#include "fmt/format.h"
#include "google/protobuf/struct.pb.h"

namespace bandit::cli {
namespace {

std::string Stamp(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

std::string RenderArm(const v1::ArmStatus& arm, uint64_t decisions) {
  uint64_t errors = 0;
  for (const auto& [code, count] : ErrorsOf(arm)) errors += count;
  std::string text = fmt::format("{} p={:.4f}", arm.name(), arm.probability());
  if (decisions > 0) {
    text += fmt::format(" share={:.4f}", static_cast<double>(arm.decisions()) /
                                             static_cast<double>(decisions));
  }
  if (arm.reward_count() > 0) {
    text += fmt::format(" reward={}", Number(arm.reward_mean()));
  }
  if (!arm.codes().empty()) {
    text += fmt::format(" p99={}ms", Milliseconds(arm.latency().p99()));
  }
  text += fmt::format(" errors={}", errors);
  if (!arm.state().empty() && arm.state() != "active")
    text += " " + arm.state();
  return text;
}

}  // namespace

std::string RenderAppended(const WatchHistory& history,
                           absl::Span<const WatchEvent> events) {
  std::string text;
  for (const WatchEvent& event : events) {
    text += fmt::format("{} event: {}\n", Stamp(event.time), event.text);
  }
  if (!history.failure().empty()) {
    // The first failure is an event already.
    if (events.empty()) {
      text += fmt::format("{} no answer for {}\n", Stamp(history.time()),
                          DurationWords(history.time() - history.answered()));
    }
    return text;
  }
  if (!history.status().has_value()) return text;
  for (const v1::ExperimentStatus& e : history.status()->experiments()) {
    std::string arms;
    for (const v1::ArmStatus& arm : e.arms()) {
      arms += (arms.empty() ? "" : "; ") + RenderArm(arm, e.decisions());
    }
    text += fmt::format("{} {} epoch={} {} decisions={}: {}\n",
                        Stamp(history.time()), e.name(), e.epoch(),
                        e.lifecycle().state(), e.decisions(), arms);
  }
  return text;
}

std::string RenderJsonLine(const Look& look,
                           absl::Span<const WatchEvent> events) {
  google::protobuf::Struct line;
  auto& fields = *line.mutable_fields();
  fields["time"].set_string_value(Stamp(look.time));
  fields["failure"].set_string_value(look.failure);
  auto* told = fields["events"].mutable_list_value();
  for (const WatchEvent& event : events) {
    auto& one = *told->add_values()->mutable_struct_value()->mutable_fields();
    one["time"].set_string_value(Stamp(event.time));
    one["text"].set_string_value(event.text);
    one["bad"].set_bool_value(event.bad);
  }
  std::string json = ToJsonLine(line);
  if (look.status.has_value()) {
    json.pop_back();  // The brace: what follows goes before it.
    json += fmt::format(",\"status\":{}}}", ToJsonLine(*look.status));
  }
  return json + "\n";
}

}  // namespace bandit::cli

// SPDX-License-Identifier: Apache-2.0
// RenderExplanation, of clients/cli/explain.h.
#include <cmath>
#include <string_view>
#include <vector>

#include "clients/cli/explain.h"
#include "clients/cli/report_format.h"
#include "clients/cli/table.h"
#include "fmt/format.h"
#include "fmt/ranges.h"

namespace bandit::cli {
namespace {

// A step: its name, then what is said of it.
std::string Step(std::string_view name, const std::string& text) {
  return fmt::format("{:<10}{}\n", name, text);
}

std::string RenderRequest(const v1::ExplainedRequest& request) {
  std::string text = request.path();
  if (!request.authority().empty()) text += " at " + request.authority();
  if (!request.model().empty()) text += ", model " + request.model();
  for (const v1::MetadataEntry& entry : request.metadata()) {
    text += fmt::format(", {}={}", entry.key(), entry.value());
  }
  text = Step("request", text);
  if (!request.assumed().empty()) {
    text += Step("", fmt::format("not given, so from the first match rule: {}",
                                 fmt::join(request.assumed(), ", ")));
  }
  return text;
}

std::string RenderRules(const v1::Explanation& explanation) {
  std::string text;
  for (const v1::RuleStep& rule : explanation.rules()) {
    std::string verdict = "takes it";
    if (!rule.mismatch().empty()) {
      verdict = "does not match: " + rule.mismatch();
    } else if (rule.beside()) {
      verdict = "matches, but the unit is not in its share of the layer";
    }
    text += Step(text.empty() ? "match" : "",
                 fmt::format("{}, rule {}: {}", rule.experiment(),
                             rule.rule() + 1, verdict));
  }
  if (text.empty()) text = Step("match", "no rules");
  return text;
}

std::string RenderPlace(const v1::PlaceStep& step) {
  const bool holdout =
      step.what() == "holdout" || step.what() == "layer_holdout";
  const std::string_view share = holdout ? "held out is" : "let in is";
  std::string name = step.what() == "layer_holdout" ? "holdout" : step.what();
  std::string of = step.name().empty() ? "" : ", of layer " + step.name() + ",";
  const std::string range = fmt::format("[{:g}, {:g})", step.from(), step.to());
  if (step.by_chance()) {
    return Step(
        name, fmt::format("by chance, because {}: {}{} {:.4g} %; what follows "
                          "is for one that gets through",
                          step.unit_key().empty()
                              ? std::string("every request is its own unit")
                              : "there is no " + step.unit_key(),
                          share, of, 100 * (step.to() - step.from())));
  }
  return Step(name, fmt::format("the unit's place by {} is {:.6f}; {}{} {}: {}",
                                step.unit_key(), step.place(), share, of, range,
                                step.passes() ? "goes on" : "stays out"));
}

std::string RenderUnit(const v1::Explanation& explanation) {
  if (explanation.unit_key().empty()) {
    return Step("unit", "every request is its own: chance draws the arm");
  }
  if (explanation.unit_hash().empty()) {
    return Step("unit", fmt::format("there is no {}, so the request is its "
                                    "own: chance draws the arm",
                                    explanation.unit_key()));
  }
  return Step("unit",
              fmt::format("{} by {}, hash {}", explanation.unit(),
                          explanation.unit_key(), explanation.unit_hash()));
}

std::string RenderFeatures(const v1::Explanation& explanation) {
  if (explanation.features().empty()) return "";
  std::vector<std::string> columns;
  for (const v1::FeatureStep& feature : explanation.features()) {
    columns.push_back(
        fmt::format("{} {:g}", feature.column(), feature.value()));
  }
  std::string text =
      Step("features", fmt::format("{}", fmt::join(columns, ", ")));
  if (!explanation.missing().empty()) {
    text += Step("", fmt::format("absent or absurd: {}",
                                 fmt::join(explanation.missing(), ", ")));
  }
  return text;
}

std::string Score(const v1::ArmStep& arm) {
  if (!arm.has_score() || !std::isfinite(arm.score())) {
    return std::string(kNothing);
  }
  return fmt::format("{:.6g}", arm.score());
}

std::string RenderArms(const v1::Explanation& explanation) {
  std::vector<std::vector<std::string>> rows = {{"arm", "backend", "by policy",
                                                 "eligible", "cap",
                                                 "probability", "score"}};
  for (const v1::ArmStep& arm : explanation.arms()) {
    rows.push_back(
        {arm.name(),
         arm.backend().empty() ? std::string(kNothing) : arm.backend(),
         fmt::format("{:.6f}", arm.policy_probability()),
         fmt::format("{:.6f}", arm.eligible_probability()),
         arm.cap() < 1 ? fmt::format("{:g}", arm.cap()) : std::string(kNothing),
         fmt::format("{:.6f}", arm.probability()), Score(arm)});
  }
  std::string text = Step(
      "arms", fmt::format("by {}{}", explanation.policy(),
                          explanation.floor() > 0
                              ? fmt::format(", at least {:g} each (its floor)",
                                            explanation.floor())
                              : ""));
  text += RenderColumns(rows, 2);
  for (const v1::ArmStep& arm : explanation.arms()) {
    if (arm.out().empty()) continue;
    text += fmt::format("  {} cannot be drawn: {}\n", arm.name(), arm.out());
  }
  if (explanation.last_resort()) {
    text += "  no arm can be drawn, so the last resort is\n";
  }
  return text;
}

std::string RenderArm(const v1::Explanation& explanation) {
  std::string text = explanation.arm();
  if (!explanation.backend().empty()) text += " at " + explanation.backend();
  if (!explanation.model().empty() || !explanation.model_version().empty()) {
    text += fmt::format(", as model {}{}{}", explanation.model(),
                        explanation.model_version().empty() ? "" : " version ",
                        explanation.model_version());
  }
  return text;
}

std::string RenderOutcome(const v1::Explanation& explanation) {
  if (!explanation.instead().empty()) {
    return fmt::format("=> not in {}: the request is {}\n",
                       explanation.experiment(), explanation.instead());
  }
  if (!explanation.uncounted().empty()) {
    return fmt::format("=> {}, not counted: {}\n", RenderArm(explanation),
                       explanation.uncounted());
  }
  if (explanation.arm().empty()) {
    return "=> chance decides, by the probabilities above\n";
  }
  return fmt::format("=> {}, its score being the smallest; propensity {:.6g}\n",
                     RenderArm(explanation), explanation.propensity());
}

}  // namespace

std::string RenderExplanation(const v1::Explanation& explanation) {
  std::string text =
      fmt::format("{}: {}, epoch {}, as learned at {}\n\n",
                  explanation.experiment(), explanation.policy(),
                  explanation.epoch(), TimeWords(explanation.learned()));
  text += RenderRequest(explanation.request());
  text += RenderRules(explanation);
  if (!explanation.state().empty()) {
    text += Step("state", explanation.state() == "rolled_back"
                              ? "rolled back"
                              : explanation.state());
  }
  if (!explanation.forced().empty()) {
    text += Step("forced", fmt::format("the request names the arm {} itself",
                                       explanation.forced()));
  }
  for (const v1::PlaceStep& step : explanation.places()) {
    text += RenderPlace(step);
  }
  if (!explanation.arms().empty()) {
    text += RenderUnit(explanation);
    text += RenderFeatures(explanation);
    text += RenderArms(explanation);
  }
  return text + RenderOutcome(explanation);
}

}  // namespace bandit::cli

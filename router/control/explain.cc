// SPDX-License-Identifier: Apache-2.0
#include "router/control/explain.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "router/control/explained_request.h"
#include "router/control/proto_time.h"
#include "router/experiment/assignment.h"
#include "router/experiment/entry.h"
#include "router/experiment/force.h"

namespace bandit::control {
namespace {

using experiment::Experiment;
using experiment::Plan;
using experiment::Population;
using experiment::Purpose;
using experiment::Uncounted;

// Explains one request, step by step.
class Explainer {
 public:
  Explainer(const learning::Snapshot& snapshot, const learning::View& view,
            size_t index, WhyDown why_down, v1::Explanation* to)
      : snapshot_(snapshot),
        view_(view),
        plan_(*snapshot.plan),
        index_(index),
        why_down_(why_down),
        to_(*to),
        headers_storage_(HeadersOf(to->request())),
        headers_(headers_storage_) {}

  void Run() {
    const Experiment& e = experiment();
    to_.set_experiment(e.name);
    to_.set_epoch(e.epoch);
    to_.set_policy(e.policy_name);
    to_.set_unit_key(e.unit_key);
    to_.set_unit(std::string(Unit(e.unit_key)));
    if (!Match()) return;
    const experiment::Exposure& exposure = snapshot_.exposure[index_];
    to_.set_state(std::string(Name(exposure.state)));
    if (const auto forced = experiment::FindForced(e, headers_);
        forced.has_value()) {
      to_.set_forced(std::string(forced->name));
      if (!forced->arm.has_value()) {
        to_.set_instead(fmt::format(
            "refused with INVALID_ARGUMENT: {} = {} names none of its arms",
            e.force_key, http2::Find(headers_, e.force_key)));
        return;
      }
      LeaveOut(Uncounted::kForced, *forced->arm);
      return;
    }
    if (const auto why = Places(exposure); why.has_value()) {
      LeaveOut(*why, exposure.arm);
      return;
    }
    Draw();
  }

 private:
  const Experiment& experiment() const { return plan_.experiments[index_]; }

  std::string_view Unit(const std::string& key) const {
    return key.empty() ? std::string_view() : http2::Find(headers_, key);
  }

  // Whether the unit is in the part of the layer that the experiment takes. One
  // that chance places is taken for one of the explained experiment's.
  bool Takes(size_t index) {
    const Experiment& e = plan_.experiments[index];
    if (!e.layer.has_value()) return true;
    if (Unit(plan_.layers[e.layer->layer].unit_key).empty()) {
      return index == index_;
    }
    return experiment::TakesUnit(plan_, e, headers_, places_, random_);
  }

  // Finds who takes the request. False: not this experiment.
  bool Match() {
    const std::string& model = to_.request().model();
    const bool overlay = experiment().overlay;
    const experiment::RouteTable& routes =
        overlay ? plan_.overlays : plan_.routes;
    const auto result = plan_.routes.Match(headers_, std::string_view(model),
                                           [&](size_t i) { return Takes(i); });
    const std::optional<size_t> carrier =
        result.experiment.has_value() ? result.experiment : result.beside;
    bool taken = carrier == index_;
    if (overlay) {
      std::vector<size_t> all;
      routes.MatchAll(headers_, std::string_view(model), &all);
      taken = std::find(all.begin(), all.end(), index_) != all.end();
    }
    for (auto& finding : routes.Explain(headers_, model)) {
      // Of an overlay others do not matter.
      if (overlay && finding.experiment != index_) continue;
      v1::RuleStep* step = to_.add_rules();
      step->set_experiment(plan_.experiments[finding.experiment].name);
      step->set_rule(static_cast<uint32_t>(finding.rule));
      const bool matches = finding.mismatch.empty();
      step->set_mismatch(std::move(finding.mismatch));
      step->set_beside(matches && !overlay && !Takes(finding.experiment));
      if (matches && !step->beside()) break;
    }
    if (taken) {
      to_.set_taken_by(experiment().name);
      return true;
    }
    if (!overlay && carrier.has_value()) {
      to_.set_taken_by(plan_.experiments[*carrier].name);
      to_.set_instead(fmt::format("taken by experiment {}", to_.taken_by()));
    } else if (overlay) {
      to_.set_instead("served without this overlay");
    } else if (plan_.default_backend.has_value()) {
      to_.set_instead(fmt::format("sent to default_backend {}",
                                  plan_.backends[*plan_.default_backend].name));
    } else {
      to_.set_instead(
          "refused with UNIMPLEMENTED: no experiment takes it and there is no "
          "default_backend");
    }
    return false;
  }

  // A place against a share; `out`: the share is what is kept out.
  bool Place(std::string_view what, std::string_view name, Purpose purpose,
             const std::string& salt, const std::string& unit_key, double from,
             double to, bool out) {
    v1::PlaceStep* step = to_.add_places();
    step->set_what(std::string(what));
    step->set_name(std::string(name));
    step->set_unit_key(unit_key);
    step->set_from(from);
    step->set_to(to);
    const std::string_view unit = Unit(unit_key);
    if (unit.empty()) {
      by_chance_ = true;
      step->set_by_chance(true);
      step->set_passes(true);
      return true;
    }
    const double place = experiment::PlaceOf(purpose, salt, unit);
    const bool within = from <= place && place < to;
    step->set_place(place);
    step->set_passes(within != out);
    return step->passes();
  }

  // Why the request is not counted; empty: it is.
  std::optional<Uncounted> Places(const experiment::Exposure& exposure) {
    const Experiment& e = experiment();
    std::optional<Uncounted> why;
    const auto keep = [&why](bool passes, Uncounted reason) {
      if (!passes && !why.has_value()) why = reason;
    };
    if (exposure.state == experiment::State::kRunning) {
      if (plan_.holdout.has_value()) {
        const Population& all = *plan_.holdout;
        keep(Place("holdout", "", Purpose::kHoldout, all.salt, all.unit_key, 0,
                   all.holdout, /*out=*/true),
             Uncounted::kHoldout);
      }
      if (e.layer.has_value()) {
        const Population& layer = plan_.layers[e.layer->layer];
        const std::string& name = e.config.layer().name();
        if (layer.holdout > 0) {
          keep(Place("layer_holdout", name, Purpose::kHoldout, layer.salt,
                     layer.unit_key, 0, layer.holdout, /*out=*/true),
               Uncounted::kHoldout);
        }
        keep(Place("layer", name, Purpose::kLayer, layer.salt, layer.unit_key,
                   e.layer->from, e.layer->to, /*out=*/false),
             Uncounted::kLayer);
      }
      if (exposure.share < 1) {
        keep(Place("ramp", "", Purpose::kRamp, e.salt, e.unit_key, 0,
                   exposure.share, /*out=*/false),
             Uncounted::kRamp);
      }
    }
    // Where nothing is left to chance, the request path's own word.
    if (by_chance_) return why;
    return experiment::WhyUncounted(plan_, e, exposure, headers_, places_,
                                    random_);
  }

  void LeaveOut(Uncounted why, size_t arm) {
    to_.set_uncounted(std::string(Name(why)));
    Serve(arm);
  }

  void Serve(size_t arm) {
    const experiment::Arm& chosen = experiment().arms[arm];
    to_.set_arm(chosen.name);
    if (chosen.backend != experiment::kNoBackend) {
      to_.set_backend(plan_.backends[chosen.backend].name);
    }
    if (chosen.model.has_value()) {
      to_.set_model(chosen.model->name);
      to_.set_model_version(chosen.model->version);
    }
  }

  // Why the arm cannot be drawn; empty: it can.
  std::string WhyOut(size_t a) const {
    const experiment::Arm& arm = experiment().arms[a];
    if (((snapshot_.eligible[index_] >> a) & 1) == 0) {
      for (const learning::ExperimentView& seen : view_.experiments) {
        if (seen.name != experiment().name || a >= seen.arms.size()) continue;
        const guardrails::ArmRecord& record = seen.arms[a].guard;
        if (record.rule.empty()) continue;
        return fmt::format("guardrails ejected it: {}: {}", record.rule,
                           record.reason);
      }
      return "guardrails ejected it";
    }
    if (arm.backend == experiment::kNoBackend) return "";
    const std::string down = why_down_(arm.backend);
    return down.empty() ? ""
                        : fmt::format("backend {} is down: {}",
                                      plan_.backends[arm.backend].name, down);
  }

  void Draw() {
    const Experiment& e = experiment();
    const size_t size = e.arms.size();
    policies::ArmSet arms = policies::AllArms(size);
    std::vector<std::string> out(size);
    for (size_t a = 0; a < size; ++a) {
      out[a] = WhyOut(a);
      if (!out[a].empty()) arms &= ~(policies::ArmSet{1} << a);
    }
    if (arms == 0) {
      arms = policies::ArmSet{1} << e.last_resort;
      to_.set_last_resort(true);
    }
    const policies::Model& model = *snapshot_.models[index_];
    const std::vector<double>& caps = snapshot_.caps[index_];
    experiment::Assignment assignment;
    experiment::Assign(e, model, {arms, caps}, headers_, /*time_ms=*/0, random_,
                       &assignment);
    const experiment::Decision& decision = assignment.decision;
    DescribeFeatures(assignment);
    to_.set_floor(e.config.policy().floor());
    const bool sticky = !Unit(e.unit_key).empty();
    if (sticky) to_.set_unit_hash(fmt::format("{:016x}", decision.unit));
    std::vector<double> alone(size), among(size);
    model.Probabilities(decision.features, policies::AllArms(size),
                        absl::MakeSpan(alone));
    model.Probabilities(decision.features, arms, absl::MakeSpan(among));
    for (size_t a = 0; a < size; ++a) {
      v1::ArmStep* step = to_.add_arms();
      step->set_name(e.arms[a].name);
      if (e.arms[a].backend != experiment::kNoBackend) {
        step->set_backend(plan_.backends[e.arms[a].backend].name);
      }
      step->set_policy_probability(alone[a]);
      step->set_out(out[a]);
      step->set_eligible_probability(among[a]);
      step->set_cap(caps.empty() ? 1 : caps[a]);
      const double p = assignment.p[a];
      step->set_probability(p);
      if (!sticky) continue;
      step->set_score(
          p > 0 ? experiment::ScoreOf(decision.unit, e.arms[a].name) / p
                : std::numeric_limits<double>::infinity());
    }
    if (!sticky) return;
    Serve(decision.arm);
    to_.set_propensity(decision.propensity);
  }

  void DescribeFeatures(const experiment::Assignment& assignment) {
    const experiment::FeatureEncoder& features = experiment().features;
    const std::vector<std::string> names = features.ColumnNames();
    for (size_t i = 0; i < names.size(); ++i) {
      v1::FeatureStep* step = to_.add_features();
      step->set_column(names[i]);
      step->set_value(assignment.decision.features[i]);
    }
    for (size_t i = 0; i < features.feature_count(); ++i) {
      if (((assignment.missing_features >> i) & 1) == 0) continue;
      to_.add_missing(std::string(features.feature_name(i)));
    }
  }

  const learning::Snapshot& snapshot_;
  const learning::View& view_;
  const Plan& plan_;
  const size_t index_;
  const WhyDown why_down_;
  v1::Explanation& to_;
  const std::vector<http2::Header> headers_storage_;
  const http2::Headers headers_;
  experiment::Places places_;
  // Only for what nothing here depends on: ids, and arms drawn by chance.
  std::mt19937_64 random_;
  bool by_chance_ = false;
};

}  // namespace

absl::StatusOr<v1::Explanation> Explain(const learning::Snapshot& snapshot,
                                        const learning::View& view,
                                        const v1::ExplainRequest& asked,
                                        WhyDown why_down) {
  const auto& experiments = snapshot.plan->experiments;
  const auto found = std::find_if(
      experiments.begin(), experiments.end(),
      [&](const Experiment& e) { return e.name == asked.experiment(); });
  if (found == experiments.end()) {
    return absl::NotFoundError(
        fmt::format("no experiment is named {}", asked.experiment()));
  }
  auto request = CompleteRequest(*found, asked);
  if (!request.ok()) return request.status();
  v1::Explanation explanation;
  *explanation.mutable_request() = *std::move(request);
  *explanation.mutable_learned() = ToProto(view.learned);
  Explainer(snapshot, view, static_cast<size_t>(found - experiments.begin()),
            why_down, &explanation)
      .Run();
  return explanation;
}

}  // namespace bandit::control

// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/adaptive_analyst.h"

#include <cmath>

#include "stats/bernoulli_sequence.h"
#include "stats/sequential_srm.h"

namespace bandit::policies {
namespace {

constexpr const char* kNames[kMethods] = {"naive z-test, 20 looks",
                                          "naive z-test, end",
                                          "Bernoulli sequence",
                                          "robust IPW sequence",
                                          "robust AIPW sequence",
                                          "robust AIPW difference",
                                          "design-based IPW value",
                                          "design-based AIPW value",
                                          "design-based AIPW lift",
                                          "adaptive weights, end",
                                          "SNIPS, end",
                                          "SRM of an even split",
                                          "martingale SRM"};

stats::Interval Normal(const stats::OffPolicyEstimate& estimate) {
  const double half = 1.96 * estimate.standard_error;
  return {estimate.value - half, estimate.value + half};
}

}  // namespace

const char* MethodName(Method method) { return kNames[method]; }

bool PerArm(Method method) {
  switch (method) {
    case kNaive:
    case kNaiveEnd:
    case kRobustLift:
    case kDesignLift:
    case kSplitSrm:
    case kMartingaleSrm:
      return false;
    default:
      return true;
  }
}

Analyst::Analyst(const TrialPlan& plan, double alpha)
    : plan_(plan), alpha_(alpha), arms_(plan.means.size()) {
  for (std::vector<bool>& missed : missed_) missed.resize(arms_.size());
}

void Analyst::OnRound(const Round& round) {
  for (size_t i = 0; i < arms_.size(); ++i) {
    Arm& arm = arms_[i];
    const double p = round.propensities[i];
    const bool drawn = round.arm == i;
    const double w = drawn ? 1 / p : 0;
    const double q = arm.prediction;
    arm.truth += plan_.Mean(i, rounds_);
    arm.assignment.Add(p, drawn ? 1 : 0);
    arm.ipw_sums.Add(w, round.reward);
    arm.aipw_sums.Add(w, round.reward, q, q);
    arm.weighted.Add(p, q + (drawn ? w * (round.reward - q) : 0));
    if (drawn) {
      arm.successes += round.reward;
      arm.ipw.AddDrawn(p, round.reward);
      arm.aipw.AddDrawn(p, round.reward, q);
    } else {
      arm.ipw.AddOthers(p);
      arm.aipw.AddOthers(p, q);
    }
  }
  ++rounds_;
}

void Analyst::OnLook(int64_t t) {
  const bool end = t == plan_.rounds;
  for (size_t i = 0; i < arms_.size(); ++i) {
    // The average of what the arm would have given.
    CheckArm(i, arms_[i].truth / static_cast<double>(t), end);
    // Not to be moved within a tick.
    arms_[i].prediction = (arms_[i].successes + 1) / (arms_[i].draws() + 2);
  }
  const double lift =
      (arms_[1].truth - arms_[0].truth) / static_cast<double>(t);
  Check(kDesignLift, 0,
        stats::DesignBasedLift(arms_[1].aipw_sums, arms_[0].aipw_sums, Design())
            .interval.Contains(lift));
  CheckSrm();
  const bool right = std::abs(Z(lift)) < 1.96;
  if (t % (plan_.rounds / 20) == 0) {
    Check(kNaive, 0, right);
    Check(kRobustLift, 0,
          stats::DifferenceBounds(arms_[1].aipw, arms_[0].aipw, alpha_)
              .Contains(lift));
  }
  if (end) Check(kNaiveEnd, 0, right);
}

void Analyst::CheckArm(size_t i, double truth, bool end) {
  const Arm& arm = arms_[i];
  for (const Method method : {kBernoulli, kDesignIpw, kDesignAipw}) {
    Check(method, i, Bounds(method, arm).Contains(truth));
  }
  Check(kRobustIpw, i, arm.ipw.Covers(truth, alpha_));
  Check(kRobustAipw, i, arm.aipw.Covers(truth, alpha_));
  if (!end) return;
  for (const Method method : {kWeightedEnd, kSelfNormalizedEnd}) {
    Check(method, i, Bounds(method, arm).Contains(truth));
  }
}

double Analyst::width(Method method) const {
  double sum = 0;
  for (const Arm& arm : arms_) {
    sum += Bounds(method, arm).width() / static_cast<double>(arms_.size());
  }
  return sum;
}

void Analyst::CheckSrm() {
  std::vector<stats::AssignmentSums> assignments;
  std::vector<double> counts;
  for (const Arm& arm : arms_) {
    assignments.push_back(arm.assignment);
    counts.push_back(arm.draws());
  }
  const auto alarms = [&](double log_evidence) {
    return stats::PFromEvidence(log_evidence) < alpha_;
  };
  Check(kMartingaleSrm, 0,
        !alarms(stats::TestAssignments(assignments).log_evidence));
  Check(kSplitSrm, 0,
        !alarms(stats::LogSrmEvidence(counts,
                                      std::vector<double>(arms_.size(), 1))));
}

stats::Interval Analyst::Bounds(Method method, const Arm& arm) const {
  switch (method) {
    case kBernoulli:
      return stats::BernoulliSequence(arm.successes, arm.draws(),
                                      {.alpha = alpha_, .planned = 500});
    case kRobustIpw:
      return arm.ipw.Bounds(alpha_);
    case kRobustAipw:
      return arm.aipw.Bounds(alpha_);
    case kDesignIpw:
      return stats::DesignBasedValue(arm.ipw_sums, Design()).interval;
    case kDesignAipw:
      return stats::DesignBasedValue(arm.aipw_sums, Design()).interval;
    case kWeightedEnd:
      return Normal(arm.weighted.Estimate());
    case kSelfNormalizedEnd:
      return Normal(stats::SelfNormalized(arm.ipw_sums));
    default:
      return {};
  }
}

double Analyst::Z(double lift) const {
  const Arm& a = arms_[0];
  const Arm& b = arms_[1];
  if (a.draws() < 2 || b.draws() < 2) return 0;
  const double n = a.draws() + b.draws();
  const double pooled = (a.successes + b.successes) / n;
  const double error =
      std::sqrt(pooled * (1 - pooled) * (1 / a.draws() + 1 / b.draws()));
  if (!(error > 0)) return 0;
  return (b.successes / b.draws() - a.successes / a.draws() - lift) / error;
}

}  // namespace bandit::policies

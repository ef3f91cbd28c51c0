// SPDX-License-Identifier: Apache-2.0
// An arm's mean, and what it is against the control's, with both kinds of
// interval and the method of each.
//
// Which method is used follows from the config and from whether the shares
// moved, never from how the numbers came out: a choice between intervals after
// seeing them would be the wider one in disguise.
#ifndef BANDIT_ROUTER_REPORT_EFFECTS_H_
#define BANDIT_ROUTER_REPORT_EFFECTS_H_

#include <string>

#include "bandit/v1/report.pb.h"
#include "router/report/arm_sums.h"
#include "stats/comparison.h"
#include "stats/estimate.h"
#include "stats/interval.h"

namespace bandit::report {

struct Setting {
  // The arms' shares moved.
  bool adaptive = false;
  // Arms were chosen by context, so that each saw other requests.
  bool contextual = false;
  // Requests of one unit belong together.
  bool units = false;
  double alpha = 0.05;
  // Observations at which anytime intervals are to be tightest.
  double planned = 10'000;
};

// Of one arm, of `binary` values. `decisions` are all arms'.
struct ArmData {
  const ArmSums* sums = nullptr;
  bool binary = false;
  double decisions = 0;
  // What is by bucket can be asked, and nothing else.
  bool cells_only = false;
};

// The mean as one look sees it; the posterior is made of it.
stats::MeanEstimate MeanOf(const ArmData& arm, const Setting& setting);
v1::Effect MeanEffect(const ArmData& arm, const Setting& setting);

struct Comparison {
  v1::Effect difference;
  v1::Effect lift;
};
// The two means as the bucket methods see them, with their covariance.
stats::MeanPair PairOf(const ArmData& control, const ArmData& arm,
                       const Setting& setting);

// The difference, with what a covariate known beforehand explains taken out of
// it. For shares that did not move; theta from all arms.
struct Adjusted {
  v1::Effect difference;
  double variance_reduction = 0;
};
Adjusted Adjust(const ArmData& control, const ArmData& arm, double theta,
                double center, const Setting& setting);

Comparison Compare(const ArmData& control, const ArmData& arm,
                   const Setting& setting);

// Leaves out what is not bounded.
void SetInterval(const stats::Interval& interval, v1::Interval* to);

}  // namespace bandit::report

#endif  // BANDIT_ROUTER_REPORT_EFFECTS_H_

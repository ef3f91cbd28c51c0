// SPDX-License-Identifier: Apache-2.0
// The words and numbers that a report's renderings share.
#ifndef BANDIT_CLIENTS_CLI_REPORT_FORMAT_H_
#define BANDIT_CLIENTS_CLI_REPORT_FORMAT_H_

#include <string>
#include <string_view>
#include <vector>

#include "bandit/v1/report.pb.h"

namespace bandit::cli {

// Stands where there is nothing to tell.
inline constexpr std::string_view kNothing = "-";

// Four significant digits: "0.1234", "12.35", "1.234e+06".
std::string Number(double value);
// "+1.2 %" of a fraction.
std::string SignedPercent(double fraction);
// "0.1 to 0.2", or kNothing.
std::string Range(bool present, const v1::Interval& interval);
std::string PercentRange(bool present, const v1::Interval& interval);
// "0.032", "< 0.0001".
std::string PValue(double p);

// "KEEP GOING", "PROMOTE candidate", ...
std::string ActionWords(const v1::NextStep& next);
// "sound (p = 0.4)"; "MISMATCH: candidate over by 5.1 standard deviations ..."
std::string SplitWords(const v1::SplitCheck& split);
// "reward, 0 or 1, more is better"
std::string MetricWords(const v1::MetricReport& metric);
// "2026-11-25 00:53:58 UTC"
std::string TimeWords(const google::protobuf::Timestamp& time);
// ": the effect of candidate differs, p = 0.003"; empty if it was not tested.
std::string HeterogeneityWords(const v1::SegmentReport& segment);
// The arm's name, with a word if it is the control and the name does not say
// so.
std::string ArmWords(const v1::Report& report, const std::string& arm);
// Whether there is something to show: a value that is not 0, or any at all of a
// metric that is not built in.
bool WorthATable(const v1::MetricReport& metric);
// "no values yet", "0 in every arm": in the place of the table.
std::string InsteadOfTable(const v1::MetricReport& metric);
// What the report assumes, by sentences: the look, the unit, the shares.
std::vector<std::string> Notes(const v1::Report& report);
// The methods behind a metric's intervals, each once.
std::vector<std::string> Methods(const v1::MetricReport& metric);

}  // namespace bandit::cli

#endif  // BANDIT_CLIENTS_CLI_REPORT_FORMAT_H_

// SPDX-License-Identifier: Apache-2.0
// Renderings of a report.
#ifndef BANDIT_CLIENTS_CLI_REPORT_TEXT_H_
#define BANDIT_CLIENTS_CLI_REPORT_TEXT_H_

#include <string>

#include "bandit/v1/report.pb.h"

namespace bandit::cli {

// For people at a terminal: what to do next, the check of the split, a table of
// the arms and one for each metric that has values.
std::string RenderReport(const v1::Report& report);

// For spreadsheets (RFC 4180): a header, then a line for each metric and arm.
// An empty field: there is no such number.
std::string RenderReportCsv(const v1::Report& report);

// One page that needs nothing else: its style and its plots are in it.
std::string RenderReportHtml(const v1::Report& report);

}  // namespace bandit::cli

#endif  // BANDIT_CLIENTS_CLI_REPORT_TEXT_H_

// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <cstring>
#include <fstream>

#include "bandit/v1/admin.grpc.pb.h"
#include "clients/cli/commands.h"
#include "clients/cli/json.h"
#include "clients/cli/report_text.h"
#include "fmt/format.h"

namespace bandit::cli {
namespace {

// `-` is standard output.
Result WriteHtml(const v1::Report& report, const std::string& file) {
  const std::string page = RenderReportHtml(report);
  if (file == "-") return {ExitCode::kOk, page, ""};
  std::ofstream out(file, std::ios::binary);
  out << page;
  out.close();
  if (out.fail()) {
    return {
        ExitCode::kInvalid, "",
        fmt::format("{} cannot be written: {}\n", file, std::strerror(errno))};
  }
  return {ExitCode::kOk, "", ""};
}

}  // namespace

Result Report(const RouterAddress& router, const ReportOptions& options) {
  v1::GetReportRequest request;
  request.set_experiment(options.experiment);
  v1::Report report;
  Result result =
      CallRouter(router, [&](const std::shared_ptr<grpc::Channel>& channel,
                             grpc::ClientContext* context) {
        return v1::Admin::NewStub(channel)->GetReport(context, request,
                                                      &report);
      });
  if (result.code != ExitCode::kOk) return result;
  if (report.experiment() != options.experiment || report.arms().empty()) {
    return NoRouter(router);
  }
  if (!options.html.empty()) return WriteHtml(report, options.html);
  if (options.csv) {
    result.out = RenderReportCsv(report);
  } else {
    result.out = options.json ? ToJson(report) : RenderReport(report);
  }
  return result;
}

}  // namespace bandit::cli

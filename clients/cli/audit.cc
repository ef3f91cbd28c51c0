// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include "bandit/v1/admin.grpc.pb.h"
#include "clients/cli/commands.h"
#include "clients/cli/json.h"
#include "clients/cli/table.h"
#include "fmt/format.h"

namespace bandit::cli {
namespace {

// Enough of a hash to compare by eye with the router's log.
constexpr size_t kShownHash = 16;

std::string Time(const google::protobuf::Timestamp& time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ",
                          absl::FromUnixSeconds(time.seconds()),
                          absl::UTCTimeZone());
}

std::string Render(const v1::AuditLog& log) {
  std::vector<std::vector<std::string>> rows = {
      {"#", "time", "who", "act", "experiment", "what", "why", "hash"}};
  for (const v1::AuditEntry& entry : log.entries()) {
    rows.push_back({fmt::format("{}", entry.sequence()), Time(entry.time()),
                    entry.proven() ? entry.who() : entry.who() + " (unproven)",
                    entry.act(), entry.experiment(), entry.detail(),
                    entry.why(), entry.hash().substr(0, kShownHash)});
  }
  std::string text = RenderColumns(rows, rows[0].size());
  text += log.broken().empty()
              ? fmt::format(
                    "{} entries, every hash follows from the one "
                    "before\n",
                    log.length())
              : fmt::format("BROKEN: {}\n", log.broken());
  return text;
}

}  // namespace

Result Audit(const RouterAddress& router, const AuditOptions& options,
             bool json) {
  v1::ListAuditRequest request;
  request.set_experiment(options.experiment);
  request.set_last(options.last);
  v1::AuditLog log;
  Result result =
      CallRouter(router, [&](const std::shared_ptr<grpc::Channel>& channel,
                             grpc::ClientContext* context) {
        return v1::Admin::NewStub(channel)->ListAudit(context, request, &log);
      });
  if (result.code != ExitCode::kOk) return result;
  if (log.length() > 0 && log.entries().empty() && options.experiment.empty()) {
    return NoRouter(router);
  }
  result.out = json ? ToJson(log) : Render(log);
  if (!log.broken().empty()) result.code = ExitCode::kBroken;
  return result;
}

}  // namespace bandit::cli

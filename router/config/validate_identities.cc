// SPDX-License-Identifier: Apache-2.0
// Who may act on experiments, and what needs two of them.
#include <algorithm>
#include <string>
#include <vector>

#include "fmt/format.h"
#include "router/config/checks.h"
#include "router/config/validate.h"

namespace bandit::config {
namespace {

// What the audit log calls those who need no identity.
constexpr std::string_view kReserved[] = {"config", "router", "guardrails",
                                          kOperator};

void CheckToken(const Path& path, const std::string& token,
                const std::vector<std::string>& others, Report* report) {
  // What is empty was reported by the reader.
  if (token.empty()) return;
  if (!IsMetadataValue(token) || token.find(' ') != std::string::npos) {
    report->Fail(path,
                 "cannot be sent in metadata, expected visible ASCII without "
                 "spaces");
  } else if (token != kHidden &&
             std::find(others.begin(), others.end(), token) != others.end()) {
    report->Fail(path, "is another's token too, expected one of its own");
  }
}

}  // namespace

void ValidateIdentities(const v1::RouterConfig& config, Report* report) {
  const Path path = Path().Field("identities");
  const std::vector<Path> paths = ItemPaths(path, config.identities());
  CheckNames(paths, NamesOf(config.identities()), report);
  std::vector<std::string> tokens = {config.control_token()};
  for (size_t i = 0; i < paths.size(); ++i) {
    const v1::IdentityConfig& identity = config.identities(static_cast<int>(i));
    if (std::find(std::begin(kReserved), std::end(kReserved),
                  identity.name()) != std::end(kReserved)) {
      report->FailValue(
          paths[i].Field("name"), identity.name(),
          "is a name that the router uses itself, expected another");
    }
    CheckToken(paths[i].Field("token"), identity.token(), tokens, report);
    tokens.push_back(identity.token());
  }
  const v1::ApprovalConfig& approval = config.approval();
  const size_t known = paths.size() + (config.control_token().empty() ? 0 : 1);
  if ((approval.start() || approval.ramp() || approval.promote()) &&
      known < 2 && !report->Broken(path) &&
      !report->Broken(Path().Field("control_token"))) {
    report->Fail(
        Path().Field("approval"),
        fmt::format("needs one who asks and one who approves, expected two "
                    "identities, or one and control_token, not {}",
                    known));
  }
}

}  // namespace bandit::config

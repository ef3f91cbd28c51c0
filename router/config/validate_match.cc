// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "router/config/checks.h"
#include "router/config/validate.h"

namespace bandit::config {
namespace {

// A segment of a gRPC path.
void CheckSegment(const Path& path, std::string_view text, Report* report) {
  if (text.find('/') != std::string_view::npos) {
    report->FailValue(path, text,
                      "holds a /, expected `service` and `method` apart");
  } else if (!IsMetadataValue(text) ||
             text.find(' ') != std::string_view::npos) {
    report->FailValue(path, text,
                      "cannot stand in a request's path, expected visible "
                      "ASCII without spaces");
  }
}

void CheckAuthority(const Path& path, std::string_view text, Report* report) {
  const size_t colon = text.rfind(':');
  if (colon != std::string_view::npos &&
      (text[0] != '[' || text.substr(0, colon).ends_with(']'))) {
    report->FailValue(path, text, "has a port, expected the host alone");
  } else if (!IsMetadataValue(text) ||
             text.find_first_of(" /@") != std::string_view::npos) {
    report->FailValue(path, text,
                      "is not an authority, expected a host such as "
                      "models.example.com");
  }
}

void CheckMetadata(const Path& path, const v1::MatchConfig& match,
                   Report* report) {
  std::vector<std::pair<std::string, std::string>> sorted(
      match.metadata().begin(), match.metadata().end());
  std::sort(sorted.begin(), sorted.end());
  for (const auto& [key, value] : sorted) {
    const Path place = path.Entry(key);
    const std::string problem = WhyNoMetadataKey(key);
    if (!problem.empty()) report->Fail(place, problem);
    if (!IsMetadataValue(value)) {
      report->FailValue(place, value,
                        "cannot be the value of a header, expected visible "
                        "ASCII");
    }
  }
}

}  // namespace

void ValidateMatch(const Path& path, const v1::MatchConfig& match,
                   Report* report) {
  const Path service = path.Field("service");
  const Path method = path.Field("method");
  const Path metadata = path.Field("metadata");
  const bool given = report->Given(service) || report->Given(method) ||
                     report->Given(path.Field("authority")) ||
                     report->Given(path.Field("model")) ||
                     !match.metadata().empty() || report->Broken(metadata);
  if (!given && !report->Broken(path)) {
    report->Fail(path,
                 "matches nothing in particular, expected service, method, "
                 "authority, metadata or model");
  }
  if (!match.service().empty()) CheckSegment(service, match.service(), report);
  if (!match.method().empty()) {
    CheckSegment(method, match.method(), report);
    if (match.service().empty() && !report->Broken(service) &&
        !report->Broken(path)) {
      report->FailValue(method, match.method(),
                        "is given without its service, expected `service` "
                        "too");
    }
  }
  if (!match.authority().empty()) {
    CheckAuthority(path.Field("authority"), match.authority(), report);
  }
  CheckMetadata(metadata, match, report);
}

}  // namespace bandit::config

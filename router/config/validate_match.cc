// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "fmt/format.h"
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

void CheckList(const Path& path,
               const google::protobuf::RepeatedPtrField<std::string>& values,
               Report* report) {
  for (int i = 0; i < values.size(); ++i) {
    // What is empty was reported by the reader.
    if (values[i].empty() || IsMetadataValue(values[i])) continue;
    report->FailValue(path.Item(static_cast<size_t>(i), ""), values[i],
                      "cannot be the value of a header, expected visible "
                      "ASCII");
  }
}

void CheckCondition(const Path& path, const v1::ConditionConfig& condition,
                    Report* report) {
  CheckMetadataKey(path.Field("metadata"), condition.metadata(), report);
  CheckList(path.Field("in"), condition.in(), report);
  CheckList(path.Field("not_in"), condition.not_in(), report);
  bool asks = report->Broken(path);
  for (const char* field :
       {"in", "not_in", "prefix", "min", "max", "present"}) {
    asks = asks || report->Given(path.Field(field));
  }
  if (!asks) {
    report->Fail(path,
                 "asks for nothing, expected in, not_in, prefix, min, max or "
                 "present");
  }
  if (condition.has_min() && condition.has_max() &&
      condition.min() > condition.max()) {
    report->FailValue(
        path.Field("min"), fmt::format("{}", condition.min()),
        fmt::format("is above max = {}, expected min <= max", condition.max()));
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
                     !match.metadata().empty() || report->Broken(metadata) ||
                     report->Given(path.Field("where"));
  if (!given && !report->Broken(path)) {
    report->Fail(path,
                 "matches nothing in particular, expected service, method, "
                 "authority, metadata, model or where");
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
  const Path where = path.Field("where");
  for (int i = 0; i < match.where_size(); ++i) {
    CheckCondition(where.Item(static_cast<size_t>(i), ""), match.where(i),
                   report);
  }
}

}  // namespace bandit::config

// SPDX-License-Identifier: Apache-2.0
#include "router/learning/config_change.h"

#include <vector>

#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/util/message_differencer.h"

namespace bandit::learning {
namespace {

constexpr size_t kMost = 1000;

v1::ExperimentConfig Parse(std::string_view bytes) {
  v1::ExperimentConfig config;
  // Of what cannot be read, nothing is said.
  static_cast<void>(
      config.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  return config;
}

}  // namespace

std::string Serialize(const v1::ExperimentConfig& config) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream out(&stream);
    // Maps by their keys.
    out.SetSerializationDeterministic(true);
    config.SerializeWithCachedSizes(
        (static_cast<void>(config.ByteSizeLong()), &out));
  }
  return bytes;
}

std::string DescribeChange(std::string_view before, std::string_view after) {
  std::string report;
  google::protobuf::util::MessageDifferencer differencer;
  differencer.ReportDifferencesToString(&report);
  differencer.Compare(Parse(before), Parse(after));
  std::vector<std::string> lines =
      absl::StrSplit(report, '\n', absl::SkipEmpty());
  for (std::string& line : lines) {
    constexpr std::string_view kModified = "modified: ";
    if (line.starts_with(kModified)) line.erase(0, kModified.size());
  }
  std::string text = absl::StrJoin(lines, "; ");
  if (text.size() > kMost) {
    text.resize(kMost);
    text += "...";
  }
  return text;
}

}  // namespace bandit::learning

// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/json.h"

#include <cassert>

#include "google/protobuf/util/json_util.h"

namespace bandit::cli {
namespace {

std::string Print(const google::protobuf::Message& message, bool indent) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = indent;
  options.always_print_primitive_fields = true;
  options.preserve_proto_field_names = true;
  std::string json;
  const auto status =
      google::protobuf::util::MessageToJsonString(message, &json, options);
  // Only an Any of unknown type and a time out of range have no JSON.
  assert(status.ok());
  static_cast<void>(status);
  return json;
}

}  // namespace

std::string ToJson(const google::protobuf::Message& message) {
  return Print(message, /*indent=*/true);
}

std::string ToJsonLine(const google::protobuf::Message& message) {
  return Print(message, /*indent=*/false);
}

}  // namespace bandit::cli

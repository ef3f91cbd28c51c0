// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/json.h"

#include <cassert>

#include "google/protobuf/util/json_util.h"

namespace bandit::cli {

std::string ToJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
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

}  // namespace bandit::cli

// SPDX-License-Identifier: Apache-2.0
// What a field of the schema takes: its type and its `(field)` option, in
// words and as text becomes a value.
#ifndef BANDIT_ROUTER_CONFIG_FIELD_RULE_H_
#define BANDIT_ROUTER_CONFIG_FIELD_RULE_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "bandit/v1/config.pb.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace bandit::config {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;

inline const v1::FieldRule& RuleOf(const FieldDescriptor& field) {
  return field.options().GetExtension(v1::field);
}

bool IsDuration(const FieldDescriptor& field);

// Written as one scalar: anything but a message; a Duration is one.
bool IsScalar(const FieldDescriptor& field);

std::vector<std::string> FieldNames(const Descriptor& type);

// How enum values are written: lower case, without the prefix that they share
// (METRIC_KIND_BINARY: binary). UNSPECIFIED is not written.
std::vector<std::string> EnumNames(const EnumDescriptor& type);

// "[1s, 720h]", "at most 5", or empty.
std::string RangeOf(const FieldDescriptor& field);

// What one value of a scalar field must be: "a number in [0, 1]".
std::string ExpectedScalar(const FieldDescriptor& field);
// The same for the whole field: "a map", "a list".
std::string Expected(const FieldDescriptor& field);

// Reads `text` into a scalar field; appends it to a list of strings.
// Fails with InvalidArgument, "is ..., expected ..." to follow the value, if
// it is of another type or outside the field's range.
absl::Status SetScalar(const FieldDescriptor& field, std::string_view text,
                       google::protobuf::Message* message);

// The text that SetScalar reads the same value from.
// REQUIRES: the field is no list.
std::string GetScalar(const FieldDescriptor& field,
                      const google::protobuf::Message& message);

}  // namespace bandit::config

#endif  // BANDIT_ROUTER_CONFIG_FIELD_RULE_H_

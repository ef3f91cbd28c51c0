// SPDX-License-Identifier: Apache-2.0
#include "router/config/field_rule.h"

#include <cassert>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "fmt/format.h"
#include "router/config/nearest.h"
#include "router/config/scalar.h"

namespace bandit::config {
namespace {

using google::protobuf::EnumValueDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// METRIC_KIND_ of MetricKind.
std::string EnumPrefix(const EnumDescriptor& type) {
  std::string prefix;
  for (char c : type.name()) {
    if (absl::ascii_isupper(static_cast<unsigned char>(c)) && !prefix.empty()) {
      prefix += '_';
    }
    prefix += absl::ascii_toupper(static_cast<unsigned char>(c));
  }
  return prefix + "_";
}

std::string EnumName(const EnumValueDescriptor& value) {
  std::string name = value.name();
  const std::string prefix = EnumPrefix(*value.type());
  if (absl::StartsWith(name, prefix)) name = name.substr(prefix.size());
  absl::AsciiStrToLower(&name);
  return name;
}

absl::Status NotA(const FieldDescriptor& field, std::string_view noun) {
  return absl::InvalidArgumentError(
      fmt::format("is not {}, expected {}", noun, ExpectedScalar(field)));
}

absl::Status OutsideOf(const FieldDescriptor& field, std::string_view range) {
  return absl::InvalidArgumentError(
      fmt::format("is outside {}", range.empty() ? RangeOf(field) : range));
}

// Whether `value` lies in the field's range, its limits read by `parse`.
template <typename T>
bool InRange(const v1::FieldRule& rule, const T& value,
             std::optional<T> (*parse)(std::string_view)) {
  if (!rule.min().empty() && value < *parse(rule.min())) return false;
  return rule.max().empty() || value <= *parse(rule.max());
}

absl::Status SetDuration(const FieldDescriptor& field, std::string_view text,
                         Message* message) {
  const std::optional<absl::Duration> value = ParseDuration(text);
  if (!value.has_value()) return NotA(field, "a duration");
  if (!InRange(RuleOf(field), *value, &ParseDuration)) {
    return OutsideOf(field, "");
  }
  message->GetReflection()
      ->MutableMessage(message, &field)
      ->CopyFrom(ToProto(*value));
  return absl::OkStatus();
}

absl::Status SetDouble(const FieldDescriptor& field, std::string_view text,
                       Message* message) {
  const std::optional<double> value = ParseNumber(text);
  if (!value.has_value()) return NotA(field, "a finite number");
  if (!InRange(RuleOf(field), *value, &ParseNumber)) {
    return OutsideOf(field, "");
  }
  message->GetReflection()->SetDouble(message, &field, *value);
  return absl::OkStatus();
}

absl::Status SetWhole(const FieldDescriptor& field, std::string_view text,
                      Message* message) {
  const bool bytes = RuleOf(field).bytes();
  std::optional<uint64_t> value;
  if (bytes) {
    value = ParseBytes(text);
    if (!value.has_value()) return NotA(field, "a size");
    if (!InRange(RuleOf(field), *value, &ParseBytes)) {
      return OutsideOf(field, "");
    }
  } else {
    const std::optional<Whole> whole = ParseWhole(text);
    if (!whole.has_value()) return NotA(field, "a whole number");
    const uint64_t type_max =
        field.cpp_type() == FieldDescriptor::CPPTYPE_UINT32
            ? std::numeric_limits<uint32_t>::max()
            : std::numeric_limits<uint64_t>::max();
    const v1::FieldRule& rule = RuleOf(field);
    const uint64_t min =
        rule.min().empty() ? 0 : ParseWhole(rule.min())->magnitude;
    const uint64_t max =
        rule.max().empty() ? type_max : ParseWhole(rule.max())->magnitude;
    const bool negative = whole->negative && whole->magnitude > 0;
    if (negative || whole->magnitude < min || whole->magnitude > max) {
      return OutsideOf(field, fmt::format("[{}, {}]", min, max));
    }
    value = whole->magnitude;
  }
  const Reflection& reflection = *message->GetReflection();
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_UINT32) {
    reflection.SetUInt32(message, &field, static_cast<uint32_t>(*value));
  } else {
    reflection.SetUInt64(message, &field, *value);
  }
  return absl::OkStatus();
}

absl::Status SetEnum(const FieldDescriptor& field, std::string_view text,
                     Message* message) {
  const EnumDescriptor& type = *field.enum_type();
  for (int i = 0; i < type.value_count(); ++i) {
    const EnumValueDescriptor& value = *type.value(i);
    if (value.number() == 0 || EnumName(value) != text) continue;
    message->GetReflection()->SetEnum(message, &field, &value);
    return absl::OkStatus();
  }
  const std::vector<std::string> names = EnumNames(type);
  return absl::InvalidArgumentError(fmt::format(
      "is unknown, expected {}{}", AnyOf(names), DidYouMean(text, names)));
}

absl::Status SetBool(const FieldDescriptor& field, std::string_view text,
                     Message* message) {
  if (text != "true" && text != "false") return NotA(field, "true or false");
  message->GetReflection()->SetBool(message, &field, text == "true");
  return absl::OkStatus();
}

}  // namespace

bool IsDuration(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
         field.message_type() == google::protobuf::Duration::descriptor();
}

bool IsScalar(const FieldDescriptor& field) {
  return field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE ||
         IsDuration(field);
}

std::vector<std::string> FieldNames(const Descriptor& type) {
  std::vector<std::string> names;
  names.reserve(static_cast<size_t>(type.field_count()));
  for (int i = 0; i < type.field_count(); ++i) {
    names.push_back(type.field(i)->name());
  }
  return names;
}

std::vector<std::string> EnumNames(const EnumDescriptor& type) {
  std::vector<std::string> names;
  for (int i = 0; i < type.value_count(); ++i) {
    if (type.value(i)->number() != 0) names.push_back(EnumName(*type.value(i)));
  }
  return names;
}

std::string RangeOf(const FieldDescriptor& field) {
  const v1::FieldRule& rule = RuleOf(field);
  const bool whole = field.cpp_type() == FieldDescriptor::CPPTYPE_UINT32 ||
                     field.cpp_type() == FieldDescriptor::CPPTYPE_UINT64;
  const bool zero = rule.min().empty() && whole;
  const std::string_view min = zero ? "0" : std::string_view(rule.min());
  if (rule.max().empty()) {
    return rule.min().empty() ? "" : fmt::format("[{}, ...)", rule.min());
  }
  if (min.empty()) return fmt::format("(..., {}]", rule.max());
  return fmt::format("[{}, {}]", min, rule.max());
}

std::string ExpectedScalar(const FieldDescriptor& field) {
  std::string range = RangeOf(field);
  if (!range.empty()) range = " in " + range;
  if (IsDuration(field)) return "a duration such as 30m or 250ms" + range;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return "a number" + range;
    case FieldDescriptor::CPPTYPE_UINT32:
    case FieldDescriptor::CPPTYPE_UINT64:
      return (RuleOf(field).bytes() ? "a size such as 64MiB"
                                    : "a whole number") +
             range;
    case FieldDescriptor::CPPTYPE_ENUM:
      return AnyOf(EnumNames(*field.enum_type()));
    case FieldDescriptor::CPPTYPE_BOOL:
      return "true or false";
    case FieldDescriptor::CPPTYPE_STRING:
      return "text";
    default:
      return "a map with " + AnyOf(FieldNames(*field.message_type()));
  }
}

std::string Expected(const FieldDescriptor& field) {
  if (field.is_map()) return "a map";
  if (!field.is_repeated()) return ExpectedScalar(field);
  const std::string one = ExpectedScalar(field);
  if (RuleOf(field).single_or_list()) return one + ", or a list of them";
  return IsScalar(field) ? "a list" : "a list, each " + one;
}

absl::Status SetScalar(const FieldDescriptor& field, std::string_view text,
                       Message* message) {
  if (IsDuration(field)) return SetDuration(field, text, message);
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return SetDouble(field, text, message);
    case FieldDescriptor::CPPTYPE_UINT32:
    case FieldDescriptor::CPPTYPE_UINT64:
      return SetWhole(field, text, message);
    case FieldDescriptor::CPPTYPE_ENUM:
      return SetEnum(field, text, message);
    case FieldDescriptor::CPPTYPE_BOOL:
      return SetBool(field, text, message);
    case FieldDescriptor::CPPTYPE_STRING: {
      const Reflection& reflection = *message->GetReflection();
      if (field.is_repeated()) {
        reflection.AddString(message, &field, std::string(text));
      } else {
        reflection.SetString(message, &field, std::string(text));
      }
      return absl::OkStatus();
    }
    default:
      // SchemaTest holds the schema to the types above.
      assert(false);
      return absl::InternalError("has a type that YAML cannot give");
  }
}

std::string GetScalar(const FieldDescriptor& field, const Message& message) {
  const Reflection& reflection = *message.GetReflection();
  if (IsDuration(field)) {
    return absl::FormatDuration(
        FromProto(static_cast<const google::protobuf::Duration&>(
            reflection.GetMessage(message, &field))));
  }
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return fmt::format("{}", reflection.GetDouble(message, &field));
    case FieldDescriptor::CPPTYPE_UINT32:
      return std::to_string(reflection.GetUInt32(message, &field));
    case FieldDescriptor::CPPTYPE_UINT64: {
      const uint64_t value = reflection.GetUInt64(message, &field);
      return RuleOf(field).bytes() ? FormatBytes(value) : std::to_string(value);
    }
    case FieldDescriptor::CPPTYPE_ENUM:
      return EnumName(*reflection.GetEnum(message, &field));
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection.GetBool(message, &field) ? "true" : "false";
    default:
      return reflection.GetString(message, &field);
  }
}

}  // namespace bandit::config

// SPDX-License-Identifier: Apache-2.0
#include "router/config/describe.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <string_view>

#include "fmt/format.h"
#include "google/protobuf/util/message_differencer.h"
#include "router/config/address.h"
#include "router/config/field_rule.h"
#include "router/config/validate.h"

namespace bandit::config {
namespace {

using google::protobuf::Message;
using google::protobuf::Reflection;

std::string Count(int n, std::string_view thing) {
  return fmt::format("{} {}{}", n, thing, n == 1 ? "" : "s");
}

// A YAML scalar that is read back as `text`.
std::string Scalar(const FieldDescriptor& field, std::string_view text) {
  if (field.cpp_type() != FieldDescriptor::CPPTYPE_STRING) {
    return std::string(text);
  }
  std::string out = "\"";
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += text[i];
    } else if (c < 0x20 || c == 0x7F) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", c);
    } else {
      if (text.substr(i, 2) == "${") out += '$';
      out += text[i];
    }
  }
  return out + "\"";
}

// Writes a message as block YAML, each line indented by `indent`.
class Writer {
 public:
  void WriteMap(const Message& message, int indent) {
    const Descriptor& type = *message.GetDescriptor();
    for (int i = 0; i < type.field_count(); ++i) {
      WriteField(*type.field(i), message, indent);
    }
  }
  std::string Take() { return std::move(out_); }

 private:
  void Line(int indent, std::string_view text) {
    fmt::format_to(std::back_inserter(out_), "{:{}}{}\n", "", indent, text);
  }

  // False for what is absent: nothing is written then.
  static bool Present(const FieldDescriptor& field, const Message& message) {
    const Reflection& reflection = *message.GetReflection();
    if (field.is_repeated()) return reflection.FieldSize(message, &field) > 0;
    if (field.has_presence()) return reflection.HasField(message, &field);
    // Empty text and an unspecified enum cannot be written, nor need be.
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      return !reflection.GetString(message, &field).empty();
    }
    return field.cpp_type() != FieldDescriptor::CPPTYPE_ENUM ||
           reflection.GetEnumValue(message, &field) != 0;
  }

  void WriteField(const FieldDescriptor& field, const Message& message,
                  int indent) {
    if (!Present(field, message)) return;
    const Reflection& reflection = *message.GetReflection();
    const std::string key = field.name() + ":";
    if (field.is_map()) {
      Line(indent, key);
      WriteEntries(field, message, indent + 2);
    } else if (field.is_repeated()) {
      Line(indent, key);
      for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
        if (IsScalar(field)) {
          Line(indent + 2, "- " + Scalar(field, reflection.GetRepeatedString(
                                                    message, &field, i)));
        } else {
          const size_t begin = out_.size();
          WriteMap(reflection.GetRepeatedMessage(message, &field, i),
                   indent + 4);
          // Every item has a field: the dash goes before its first.
          out_[begin + static_cast<size_t>(indent) + 2] = '-';
        }
      }
    } else {
      WriteValue(field, key, message, indent);
    }
  }

  void WriteEntries(const FieldDescriptor& field, const Message& message,
                    int indent) {
    const Reflection& reflection = *message.GetReflection();
    const FieldDescriptor& key = *field.message_type()->map_key();
    const FieldDescriptor& value = *field.message_type()->map_value();
    std::map<std::string, const Message*> sorted;
    for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
      const Message& entry = reflection.GetRepeatedMessage(message, &field, i);
      sorted[GetScalar(key, entry)] = &entry;
    }
    for (const auto& [name, entry] : sorted) {
      WriteValue(value, fmt::format("{}:", Scalar(key, name)), *entry, indent);
    }
  }

  void WriteValue(const FieldDescriptor& field, std::string_view key,
                  const Message& message, int indent) {
    if (IsScalar(field)) {
      Line(indent,
           fmt::format("{} {}", key, Scalar(field, GetScalar(field, message))));
      return;
    }
    Line(indent, key);
    WriteMap(message.GetReflection()->GetMessage(message, &field), indent + 2);
  }

  std::string out_;
};

void Hide(Message* message) {
  const Reflection& reflection = *message->GetReflection();
  std::vector<const FieldDescriptor*> set;
  reflection.ListFields(*message, &set);
  for (const FieldDescriptor* field : set) {
    if (RuleOf(*field).secret()) {
      if (GetScalar(*field, *message).empty()) continue;
      reflection.SetString(message, field, std::string(kHidden));
    } else if (IsScalar(*field)) {
      continue;
    } else if (!field->is_repeated()) {
      Hide(reflection.MutableMessage(message, field));
    } else {
      for (int i = 0; i < reflection.FieldSize(*message, field); ++i) {
        Hide(reflection.MutableRepeatedMessage(message, field, i));
      }
    }
  }
}

bool Differ(const FieldDescriptor& field, const Message& a, const Message& b) {
  if (field.is_repeated()) {
    const Reflection& reflection = *a.GetReflection();
    const int size = reflection.FieldSize(a, &field);
    if (size != reflection.FieldSize(b, &field)) return true;
    for (int i = 0; i < size; ++i) {
      // Lists hold text or maps.
      const bool same =
          IsScalar(field) ? reflection.GetRepeatedString(a, &field, i) ==
                                reflection.GetRepeatedString(b, &field, i)
                          : google::protobuf::util::MessageDifferencer::Equals(
                                reflection.GetRepeatedMessage(a, &field, i),
                                reflection.GetRepeatedMessage(b, &field, i));
      if (!same) return true;
    }
    return false;
  }
  if (IsScalar(field)) return GetScalar(field, a) != GetScalar(field, b);
  return !google::protobuf::util::MessageDifferencer::Equals(
      a.GetReflection()->GetMessage(a, &field),
      b.GetReflection()->GetMessage(b, &field));
}

}  // namespace

std::string Summary(const v1::RouterConfig& config) {
  return fmt::format(
      "ok, {}, {}", Count(config.experiments_size(), "experiment"),
      Count(static_cast<int>(config.backends_size()), "backend"));
}

v1::RouterConfig WithoutSecrets(v1::RouterConfig config) {
  Hide(&config);
  config.set_state(WithoutSecrets(config.state()));
  return config;
}

std::string ToYaml(const v1::RouterConfig& config) {
  Writer writer;
  writer.WriteMap(WithoutSecrets(config), 0);
  return writer.Take();
}

std::vector<std::string> NeedRestart(const v1::RouterConfig& running,
                                     const v1::RouterConfig& loaded) {
  std::vector<std::string> fields;
  const Descriptor& type = *v1::RouterConfig::descriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (RuleOf(field).restart() && Differ(field, running, loaded)) {
      fields.push_back(field.name());
    }
  }
  return fields;
}

}  // namespace bandit::config

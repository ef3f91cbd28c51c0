// SPDX-License-Identifier: Apache-2.0
#include "router/config/reader.h"

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "fmt/format.h"
#include "router/config/field_rule.h"
#include "router/config/nearest.h"

namespace bandit::config {
namespace {

using google::protobuf::Message;

std::string_view KindName(YamlNode::Kind kind) {
  switch (kind) {
    case YamlNode::Kind::kNull:
      return "empty";
    case YamlNode::Kind::kScalar:
      return "a single value";
    case YamlNode::Kind::kList:
      return "a list";
    case YamlNode::Kind::kMap:
      return "a map";
  }
  return "";
}

// The item's `name`, by which messages speak of it.
std::string_view NameOf(const YamlNode& item) {
  for (const YamlNode::Entry& entry : item.entries) {
    if (entry.key == "name") return entry.value.text;
  }
  return {};
}

// Whether an absent message of this type is made from its defaults.
bool MadeOfDefaults(const Descriptor& type) {
  bool defaults = false;
  for (int i = 0; i < type.field_count(); ++i) {
    const v1::FieldRule& rule = RuleOf(*type.field(i));
    if (rule.required()) return false;
    defaults |= !rule.default_value().empty();
  }
  return defaults;
}

class Reader {
 public:
  Reader(const Environment& env, Report* report)
      : env_(env), report_(*report) {}

  void ReadMap(const YamlNode& node, const Path& path, Message* message) {
    const Descriptor& type = *message->GetDescriptor();
    absl::flat_hash_set<std::string> given;
    // Fields that a misspelt key most likely meant: not reported missing too.
    absl::flat_hash_set<std::string> meant;
    for (const YamlNode::Entry* entry : Unique(node, path)) {
      const FieldDescriptor* field = type.FindFieldByName(entry->key);
      if (field == nullptr) {
        const std::vector<std::string> names = FieldNames(type);
        report_.Fail(
            path, entry->line,
            fmt::format("has no field {}, expected {}{}", Quoted(entry->key),
                        AnyOf(names), DidYouMean(entry->key, names)));
        meant.emplace(Nearest(entry->key, names));
        continue;
      }
      given.insert(entry->key);
      const Path place = path.Field(entry->key);
      report_.Record(place, entry->line);
      ReadField(*field, entry->value, place, message);
    }
    for (int i = 0; i < type.field_count(); ++i) {
      const FieldDescriptor& field = *type.field(i);
      if (given.contains(field.name())) continue;
      FillAbsent(field, path.Field(field.name()), !meant.contains(field.name()),
                 message);
    }
  }

 private:
  // The entries, less those whose key came before.
  std::vector<const YamlNode::Entry*> Unique(const YamlNode& node,
                                             const Path& path) {
    std::vector<const YamlNode::Entry*> unique;
    absl::flat_hash_map<std::string_view, int> lines;
    for (const YamlNode::Entry& entry : node.entries) {
      auto [it, fresh] = lines.try_emplace(entry.key, entry.line);
      if (fresh) {
        unique.push_back(&entry);
      } else {
        report_.Fail(entry.line,
                     fmt::format("{} is a duplicate of line {}, expected one",
                                 path.Entry(entry.key).shown(), it->second));
      }
    }
    return unique;
  }

  void FillAbsent(const FieldDescriptor& field, const Path& place,
                  bool report_missing, Message* message) {
    const v1::FieldRule& rule = RuleOf(field);
    if (rule.required()) {
      if (report_missing) {
        report_.Fail(place,
                     fmt::format("is missing, expected {}", Expected(field)));
      }
    } else if (!IsScalar(field)) {
      if (!field.is_repeated() && !rule.opt_in() &&
          MadeOfDefaults(*field.message_type())) {
        ReadMap(YamlNode{}, place,
                message->GetReflection()->MutableMessage(message, &field));
      }
    } else if (!field.is_repeated()) {
      SetDefault(field, message);
    }
  }

  void SetDefault(const FieldDescriptor& field, Message* message) {
    const v1::FieldRule& rule = RuleOf(field);
    if (field.is_repeated()) {
      // Keeps its place, so that the items after it keep theirs.
      message->GetReflection()->AddString(message, &field, "");
    } else if (!rule.default_value().empty()) {
      // SchemaTest holds the schema to readable defaults.
      SetScalar(field, rule.default_value(), message).IgnoreError();
    }
  }

  void ReadField(const FieldDescriptor& field, const YamlNode& node,
                 const Path& path, Message* message) {
    if (RuleOf(field).secret()) report_.Hide(path);
    if (field.is_map()) return ReadEntries(field, node, path, message);
    if (field.is_repeated()) return ReadList(field, node, path, message);
    ReadValue(field, node, path, message);
  }

  void ReadEntries(const FieldDescriptor& field, const YamlNode& node,
                   const Path& path, Message* message) {
    if (node.kind != YamlNode::Kind::kMap) return WrongKind(field, node, path);
    const FieldDescriptor& key = *field.message_type()->map_key();
    const FieldDescriptor& value = *field.message_type()->map_value();
    for (const YamlNode::Entry* item : Unique(node, path)) {
      Message* entry = message->GetReflection()->AddMessage(message, &field);
      SetScalar(key, item->key, entry).IgnoreError();
      const Path place = path.Entry(item->key);
      report_.Record(place, item->line);
      ReadValue(value, item->value, place, entry);
    }
    RejectEmpty(field, node.entries.size(), path);
  }

  void ReadList(const FieldDescriptor& field, const YamlNode& node,
                const Path& path, Message* message) {
    if (node.kind != YamlNode::Kind::kList) {
      const bool single =
          RuleOf(field).single_or_list() &&
          node.kind == (IsScalar(field) ? YamlNode::Kind::kScalar
                                        : YamlNode::Kind::kMap);
      if (!single) return WrongKind(field, node, path);
      return ReadValue(field, node, path, message);
    }
    for (size_t i = 0; i < node.items.size(); ++i) {
      const YamlNode& item = node.items[i];
      const Path place = path.Item(i, NameOf(item));
      report_.Record(place, item.line);
      ReadValue(field, item, place, message);
    }
    RejectEmpty(field, node.items.size(), path);
  }

  void RejectEmpty(const FieldDescriptor& field, size_t size,
                   const Path& path) {
    if (size == 0 && RuleOf(field).required()) {
      report_.Fail(path, "is empty, expected at least one");
    }
  }

  // One value: the field's, or one of its list.
  void ReadValue(const FieldDescriptor& field, const YamlNode& node,
                 const Path& path, Message* message) {
    if (IsScalar(field)) return ReadScalar(field, node, path, message);
    Message* value =
        field.is_repeated()
            ? message->GetReflection()->AddMessage(message, &field)
            : message->GetReflection()->MutableMessage(message, &field);
    if (node.kind == YamlNode::Kind::kMap) return ReadMap(node, path, value);
    report_.Fail(path, fmt::format("is {}, expected {}", KindName(node.kind),
                                   ExpectedScalar(field)));
  }

  void ReadScalar(const FieldDescriptor& field, const YamlNode& node,
                  const Path& path, Message* message) {
    if (node.kind != YamlNode::Kind::kScalar) {
      report_.Fail(path, fmt::format("is {}, expected {}", KindName(node.kind),
                                     ExpectedScalar(field)));
      return SetDefault(field, message);
    }
    absl::StatusOr<Expansion> expansion = Expand(node.text, env_);
    if (!expansion.ok()) {
      report_.Fail(path, ToView(expansion.status().message()));
      return SetDefault(field, message);
    }
    if (expansion->from_environment) report_.ShowInstead(path, node.text);
    if (expansion->text.empty() && !RuleOf(field).allow_empty()) {
      report_.Fail(path, fmt::format("is empty{}, expected {}",
                                     expansion->unset.empty()
                                         ? ""
                                         : fmt::format(" since {} is not set",
                                                       expansion->unset),
                                     ExpectedScalar(field)));
      return SetDefault(field, message);
    }
    absl::Status status = SetScalar(field, expansion->text, message);
    if (!status.ok()) {
      report_.FailValue(path, expansion->text, ToView(status.message()));
      SetDefault(field, message);
    }
  }

  void WrongKind(const FieldDescriptor& field, const YamlNode& node,
                 const Path& path) {
    report_.Fail(path, fmt::format("is {}, expected {}", KindName(node.kind),
                                   Expected(field)));
  }

  static std::string_view ToView(absl::string_view text) {
    return {text.data(), text.size()};
  }

  const Environment& env_;
  Report& report_;
};

}  // namespace

void ReadMessage(const YamlNode& root, const Environment& env, Message* message,
                 Report* report) {
  report->Record(Path(), root.line);
  Reader(env, report).ReadMap(root, Path(), message);
}

}  // namespace bandit::config

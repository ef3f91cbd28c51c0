// SPDX-License-Identifier: Apache-2.0
// Holds for every field of the schema, found by reflection: its rule can be
// read, and a value of a wrong type gives one line that names its place.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "fmt/format.h"
#include "router/config/describe.h"
#include "router/config/field_rule.h"
#include "router/config/load.h"
#include "router/config/reader.h"
#include "router/config/scalar.h"

namespace bandit::config {
namespace {

using google::protobuf::Message;

std::optional<std::string> NoVariables(std::string_view) {
  return std::nullopt;
}

// Every field that a config can hold.
void Collect(const Descriptor& type, std::set<const FieldDescriptor*>* fields) {
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (!fields->insert(&field).second) continue;
    if (field.is_map()) {
      const FieldDescriptor& value = *field.message_type()->map_value();
      if (!IsScalar(value)) Collect(*value.message_type(), fields);
    } else if (!IsScalar(field)) {
      Collect(*field.message_type(), fields);
    }
  }
}

std::set<const FieldDescriptor*> AllFields() {
  std::set<const FieldDescriptor*> fields;
  Collect(*v1::RouterConfig::descriptor(), &fields);
  return fields;
}

TEST(SchemaTest, HasOnlyTypesThatTheReaderKnows) {
  const std::set<FieldDescriptor::CppType> known = {
      FieldDescriptor::CPPTYPE_DOUBLE, FieldDescriptor::CPPTYPE_UINT32,
      FieldDescriptor::CPPTYPE_UINT64, FieldDescriptor::CPPTYPE_BOOL,
      FieldDescriptor::CPPTYPE_ENUM,   FieldDescriptor::CPPTYPE_STRING,
      FieldDescriptor::CPPTYPE_MESSAGE};
  for (const FieldDescriptor* field : AllFields()) {
    EXPECT_TRUE(known.contains(field->cpp_type())) << field->full_name();
    // Lists hold text or maps.
    if (field->is_repeated() && IsScalar(*field)) {
      EXPECT_EQ(field->cpp_type(), FieldDescriptor::CPPTYPE_STRING)
          << field->full_name();
    }
    EXPECT_FALSE(IsDuration(*field) && field->is_repeated())
        << field->full_name();
  }
}

TEST(SchemaTest, HasDefaultsAndLimitsThatCanBeRead) {
  for (const FieldDescriptor* field : AllFields()) {
    const v1::FieldRule& rule = RuleOf(*field);
    SCOPED_TRACE(field->full_name());
    EXPECT_FALSE(rule.required() && !rule.default_value().empty());
    EXPECT_TRUE(!rule.single_or_list() || field->is_repeated());
    // Secrets are single texts, and need no default.
    EXPECT_TRUE(!rule.secret() ||
                (!field->is_repeated() &&
                 field->cpp_type() == FieldDescriptor::CPPTYPE_STRING &&
                 rule.default_value().empty()));
    // NeedRestart compares the top level: single values and lists.
    EXPECT_TRUE(!rule.restart() ||
                (field->containing_type() == v1::RouterConfig::descriptor() &&
                 !field->is_map()));
    for (const std::string& text :
         {rule.default_value(), rule.min(), rule.max()}) {
      if (text.empty()) continue;
      ASSERT_TRUE(IsScalar(*field));
      if (IsDuration(*field)) {
        EXPECT_TRUE(ParseDuration(text).has_value()) << text;
      } else if (rule.bytes()) {
        EXPECT_TRUE(ParseBytes(text).has_value()) << text;
      } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE) {
        EXPECT_TRUE(ParseNumber(text).has_value()) << text;
      } else if (field->cpp_type() != FieldDescriptor::CPPTYPE_STRING &&
                 field->cpp_type() != FieldDescriptor::CPPTYPE_BOOL &&
                 field->cpp_type() != FieldDescriptor::CPPTYPE_ENUM) {
        EXPECT_TRUE(ParseWhole(text).has_value()) << text;
      }
    }
    if (!rule.default_value().empty()) {
      v1::RouterConfig scratch;
      std::unique_ptr<Message> message(
          google::protobuf::MessageFactory::generated_factory()
              ->GetPrototype(field->containing_type())
              ->New());
      const absl::Status set =
          SetScalar(*field, rule.default_value(), message.get());
      EXPECT_TRUE(set.ok()) << set;
    }
  }
}

// One field in the text that ToYaml writes.
struct Occurrence {
  const FieldDescriptor* field;
  std::string path;  // As messages name it.
  size_t line;       // From 0: of the key.
  size_t lines;      // How many the key and its value take.
  std::string key;   // The line up to the colon, which it includes.
};

// Finds the fields by walking the text: its keys are the fields' names, and
// what is deeper belongs to the key above.
class Walker {
 public:
  explicit Walker(std::vector<std::string> lines) : lines_(std::move(lines)) {}

  std::vector<Occurrence> Walk() {
    WalkMap(*v1::RouterConfig::descriptor(), "", 0, lines_.size(), 0);
    return std::move(found_);
  }

 private:
  // The line without its dash, which opens an item where a blank could be.
  std::string Content(size_t line) const {
    std::string content = lines_[line];
    const size_t dash = content.find_first_not_of(' ');
    if (content[dash] == '-') content[dash] = ' ';
    return content;
  }
  size_t Indent(size_t line) const {
    return Content(line).find_first_not_of(' ');
  }
  // The line after the value of the key at `line`.
  size_t End(size_t line, size_t end) const {
    size_t next = line + 1;
    while (next < end && Indent(next) > Indent(line)) ++next;
    return next;
  }
  static std::string Key(std::string_view content) {
    const size_t begin = content.find_first_not_of(" \"");
    return std::string(
        content.substr(begin, content.find_first_of("\":", begin) - begin));
  }

  void WalkMap(const Descriptor& type, const std::string& prefix, size_t begin,
               size_t end, size_t depth) {
    for (size_t line = begin; line < end; line = End(line, end)) {
      const std::string content = Content(line);
      const std::string name = Key(content);
      const FieldDescriptor* field = type.FindFieldByName(name);
      ASSERT_NE(field, nullptr) << content;
      const std::string path = prefix + name;
      const size_t after = End(line, end);
      const std::string raw = lines_[line];
      found_.push_back(
          {field, path, line, after - line, raw.substr(0, raw.find(':') + 1)});
      if (field->is_map()) {
        WalkEntries(*field, path, line + 1, after, depth);
      } else if (field->is_repeated() && !IsScalar(*field)) {
        WalkItems(*field, path, line + 1, after, depth);
      } else if (!IsScalar(*field)) {
        WalkMap(*field->message_type(), path + ".", line + 1, after, depth + 1);
      }
    }
  }

  void WalkEntries(const FieldDescriptor& field, const std::string& path,
                   size_t begin, size_t end, size_t depth) {
    const FieldDescriptor& value = *field.message_type()->map_value();
    if (IsScalar(value)) return;
    for (size_t line = begin; line < end; line = End(line, end)) {
      WalkMap(*value.message_type(),
              fmt::format("{}.{}.", path, Key(Content(line))), line + 1,
              End(line, end), depth + 1);
    }
  }

  void WalkItems(const FieldDescriptor& field, const std::string& path,
                 size_t begin, size_t end, size_t depth) {
    size_t index = 0;
    for (size_t line = begin; line < end; ++index) {
      size_t next = line + 1;
      while (next < end &&
             lines_[next].find('-') != lines_[line].find_first_not_of(' ')) {
        ++next;
      }
      std::string name = fmt::format("[{}].", index);
      for (size_t own = line; own < next; own = End(own, next)) {
        const std::string content = Content(own);
        if (Key(content) != "name") continue;
        const size_t quote = content.find('"');
        name = fmt::format(
            ".{}.", content.substr(quote + 1, content.rfind('"') - quote - 1));
      }
      WalkMap(*field.message_type(), path + name, line, next, depth + 1);
      line = next;
    }
  }

  std::vector<std::string> lines_;
  std::vector<Occurrence> found_;
};

// Values of a wrong type for `field`.
std::vector<std::string> WrongValues(const FieldDescriptor& field) {
  std::vector<std::string> wrong = {" ~", ""};
  const bool text = field.cpp_type() == FieldDescriptor::CPPTYPE_STRING;
  if (field.is_map()) {
    wrong.insert(wrong.end(), {" text", " [x]", " 1"});
  } else if (field.is_repeated()) {
    wrong.insert(wrong.end(), {" [[x]]", " [~]"});
    if (text) wrong.push_back(" {x: 1}");
    if (!text || !RuleOf(field).single_or_list()) wrong.push_back(" text");
    if (!text) wrong.push_back(" [text]");
  } else if (!IsScalar(field)) {
    wrong.insert(wrong.end(), {" text", " [x]", " 1"});
  } else {
    wrong.insert(wrong.end(), {" [x]", " {x: 1}", " []", " {}", " ''"});
    if (!text) wrong.push_back(" wrong");
    if (RuleOf(field).allow_empty()) std::erase(wrong, " ''");
  }
  return wrong;
}

TEST(SchemaTest, AWrongTypeInAnyFieldGivesOneLine) {
  const auto full =
      Load(fmt::format("{}/full.yaml", BANDIT_CONFIG_TESTDATA), NoVariables);
  ASSERT_TRUE(full.ok()) << full.status();
  const std::string text = ToYaml(full->proto);
  std::vector<std::string> lines =
      absl::StrSplit(text, '\n', absl::SkipEmpty());
  const std::vector<Occurrence> found = Walker(lines).Walk();

  std::set<const FieldDescriptor*> missing = AllFields();
  for (const Occurrence& occurrence : found) missing.erase(occurrence.field);
  for (const FieldDescriptor* field : missing) {
    ADD_FAILURE() << "full.yaml lacks " << field->full_name();
  }

  for (const Occurrence& at : found) {
    for (const std::string& wrong : WrongValues(*at.field)) {
      std::vector<std::string> changed = lines;
      changed.erase(changed.begin() + at.line + 1,
                    changed.begin() + at.line + at.lines);
      changed[at.line] = at.key + wrong;
      const auto loaded =
          LoadText(absl::StrJoin(changed, "\n"), "f", NoVariables);
      SCOPED_TRACE(changed[at.line]);
      ASSERT_FALSE(loaded.ok());
      const std::string message(loaded.status().message());
      EXPECT_EQ(message.find('\n'), std::string::npos) << message;
      EXPECT_THAT(message,
                  testing::StartsWith(fmt::format("f:{}: ", at.line + 1)));
      EXPECT_THAT(message, testing::HasSubstr(", expected "));
      // A list item whose name cannot be read goes by its index.
      if (at.field->name() != "name") {
        EXPECT_THAT(message, testing::HasSubstr(fmt::format(": {}", at.path)));
      }
    }
  }
}

// FieldRule itself has what the config's schema has not yet: bools.
TEST(SchemaTest, ReadsBools) {
  Report report("f");
  const auto root = ParseDocument("required: true\nbytes: false\n", &report);
  v1::FieldRule rule;
  ReadMessage(*root, NoVariables, &rule, &report);
  EXPECT_TRUE(report.ok()) << report.Status();
  EXPECT_TRUE(rule.required());
  EXPECT_FALSE(rule.bytes());
  EXPECT_EQ(GetScalar(*v1::FieldRule::descriptor()->FindFieldByName("required"),
                      rule),
            "true");

  const auto wrong = ParseDocument("required: yes\n", &report);
  ReadMessage(*wrong, NoVariables, &rule, &report);
  EXPECT_EQ(std::string(report.Status().message()),
            "f:1: required = \"yes\" is not true or false, expected true or "
            "false");
}

}  // namespace
}  // namespace bandit::config

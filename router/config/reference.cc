// SPDX-License-Identifier: Apache-2.0
#include "router/config/reference.h"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_replace.h"
#include "bandit/v1/config.pb.h"
#include "fmt/format.h"
#include "google/protobuf/descriptor.pb.h"
#include "policies/policy.h"
#include "router/config/field_rule.h"
#include "router/config/nearest.h"
#include "router/config/validate.h"

namespace bandit::config {
namespace {

constexpr std::string_view kIntroduction =
    R"(# Configuration

<!-- Generated from protos/bandit/v1/config.proto; `./dev docs` writes it. -->

`bandit-router --config FILE` reads one YAML file. `bandit-router --check
--config FILE` reads it, says what is wrong with it and exits: 0 if it is good,
2 if it is not. Every mistake is one line, `file:line: what is wrong, what was
expected`, and all of them are told at once.

```yaml
)";

constexpr std::string_view kReading = R"(```

## How the file is read

- **Fields** are those of the tables below. An unknown or repeated one is an
  error. `null` and empty text are no values; leave the field out instead.
- **Numbers** are finite: `90`, `0.02`, `1e-3`.
- **Durations** are numbers with units: `250ms`, `30m`, `1h30m`, `7d`. The units
  are `ns`, `us`, `ms`, `s`, `m`, `h` and `d` (24 hours).
- **Sizes** are bytes, with a unit or without: `100`, `64MiB`, `1.5GiB`. `KiB`,
  `MiB`, `GiB` and `TiB` are powers of 1024, `kB`, `MB`, `GB` and `TB` of 1000.
- **Names** of experiments, arms, backends, metrics and features are 1 to 128
  letters, digits, `_`, `-` and `.`.
- **Metadata keys** are in lower case, as HTTP/2 has them.
- **Environment:** `${NAME}` in a value stands for the environment variable,
  `${NAME:-default}` for the default where the variable is not set or empty. A
  variable that is not set and has no default gives empty text. `$${` stands for
  the characters `${`. Between `[ ]` or `{ }` YAML wants quotes around it:
  `{address: "${ADDRESS}"}`.
- **Anchors and aliases** (`&name`, `*name`) work, merge keys (`<<`) do not.
- A file has at most 1 MiB and 32 levels.
- **Secrets** never appear in messages. A wrong value that came from the
  environment is shown as it stands in the file: `${NAME}`.

)";

constexpr std::string_view kChanges =
    R"(A change takes effect on a reload (SIGHUP), except for these fields, which need
a restart: )";

constexpr std::string_view kEpochs = R"(

A change of an experiment's arms, unit, salt, metrics or features starts a new
epoch: what was learned before is forgotten, because it would bias the results.
A change of its policy, the policy's parameters or the floor does not; the new
policy goes on from what was learned.

)";

// What comments a descriptor has, on one line.
template <typename T>
std::string Comment(const T& descriptor) {
  google::protobuf::SourceLocation location;
  if (!descriptor.GetSourceLocation(&location)) return "";
  std::string text = location.leading_comments;
  std::string line;
  for (char c : text) {
    const bool space = c == '\n' || c == ' ';
    if (space && (line.empty() || line.back() == ' ')) continue;
    line += space ? ' ' : c;
  }
  absl::StripAsciiWhitespace(&line);
  return line;
}

// `|` ends a cell of a table.
std::string Cell(std::string_view text) {
  return absl::StrReplaceAll(absl::string_view(text.data(), text.size()),
                             {{"|", "\\|"}});
}

// The anchor of a heading, as Markdown renderers make it.
std::string Slug(std::string_view heading) {
  std::string slug;
  for (char c : heading) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || c == '-' || c == '_') {
      slug += absl::ascii_tolower(byte);
    } else if (c == ' ') {
      slug += '-';
    }
  }
  return slug;
}

// Where the values of a message type stand: `experiments[].match[]`.
std::string SectionOf(std::string_view prefix, const FieldDescriptor& field) {
  return fmt::format("{}{}{}{}", prefix, prefix.empty() ? "" : ".",
                     field.name(),
                     field.is_map()        ? ".NAME"
                     : field.is_repeated() ? "[]"
                                           : "");
}

// The message type of a field's values, nullptr for scalars.
const Descriptor* ValueType(const FieldDescriptor& field) {
  const FieldDescriptor& value =
      field.is_map() ? *field.message_type()->map_value() : field;
  return IsScalar(value) ? nullptr : value.message_type();
}

std::string ScalarType(const FieldDescriptor& field) {
  if (IsDuration(field)) return "duration";
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return "number";
    case FieldDescriptor::CPPTYPE_UINT32:
    case FieldDescriptor::CPPTYPE_UINT64:
      return RuleOf(field).bytes() ? "size" : "whole number";
    case FieldDescriptor::CPPTYPE_BOOL:
      return "`true` or `false`";
    case FieldDescriptor::CPPTYPE_ENUM: {
      std::vector<std::string> names;
      for (const std::string& name : EnumNames(*field.enum_type())) {
        names.push_back(fmt::format("`{}`", name));
      }
      return AnyOf(names);
    }
    default:
      return "text";
  }
}

class Page {
 public:
  // `schema` has the comments, the generated one the options.
  explicit Page(const google::protobuf::DescriptorPool* schema)
      : schema_(*schema) {}

  absl::Status WriteSections(const Descriptor& type, std::string_view section) {
    const Descriptor* commented =
        schema_.FindMessageTypeByName(type.full_name());
    if (commented == nullptr) return Stale(type.full_name());
    Write("### {}\n\n", section.empty() ? "Top level" : section);
    const std::string comment = Comment(*commented);
    if (!comment.empty()) Write("{}\n\n", comment);
    Write(
        "| Field | Type | Default | Range | Meaning |\n"
        "|---|---|---|---|---|\n");
    for (int i = 0; i < type.field_count(); ++i) {
      absl::Status status = WriteField(*type.field(i), *commented, section);
      if (!status.ok()) return status;
    }
    Write("\n");
    for (int i = 0; i < type.field_count(); ++i) {
      const Descriptor* inner = ValueType(*type.field(i));
      if (inner == nullptr) continue;
      absl::Status status =
          WriteSections(*inner, SectionOf(section, *type.field(i)));
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  void WritePolicies() {
    for (const policies::PolicyInfo* info : policies::AllPolicies()) {
      Write("### {}\n\n{}{}\n\n", info->name, info->summary,
            info->contextual ? " It needs `context`." : "");
      if (info->parameters.empty()) {
        Write("It has no parameters.\n\n");
        continue;
      }
      Write(
          "| Parameter | Default | Range | Meaning |\n"
          "|---|---|---|---|\n");
      for (const policies::Parameter& parameter : info->parameters) {
        Write("| `{}` | {} | [{}, {}] | {} |\n", parameter.name,
              parameter.default_value, parameter.min, parameter.max,
              Cell(parameter.meaning));
      }
      Write("\n");
    }
  }

  template <typename... Args>
  void Write(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(text_), format,
                   std::forward<Args>(args)...);
  }
  std::string Take() { return std::move(text_); }

 private:
  static absl::Status Stale(std::string_view name) {
    return absl::InvalidArgumentError(fmt::format(
        "{} is not in the descriptor set, or has no comment", name));
  }

  absl::Status WriteField(const FieldDescriptor& field,
                          const Descriptor& commented,
                          std::string_view section) {
    const FieldDescriptor* source = commented.FindFieldByName(field.name());
    if (source == nullptr) return Stale(field.full_name());
    std::string meaning = Comment(*source);
    if (meaning.empty()) return Stale(field.full_name());
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
      meaning += EnumMeanings(*source->enum_type());
    }
    const v1::FieldRule& rule = RuleOf(field);
    if (rule.restart()) meaning += " A change needs a restart.";
    std::string fallback;
    if (rule.required()) {
      fallback = "required";
    } else if (!rule.default_value().empty()) {
      fallback = fmt::format("`{}`", rule.default_value());
    }
    Write("| `{}` | {} | {} | {} | {} |\n", field.name(),
          TypeOf(field, section), fallback, RangeOf(field), Cell(meaning));
    return absl::OkStatus();
  }

  static std::string TypeOf(const FieldDescriptor& field,
                            std::string_view section) {
    const Descriptor* inner = ValueType(field);
    std::string type;
    if (inner == nullptr) {
      type = ScalarType(field.is_map() ? *field.message_type()->map_value()
                                       : field);
    } else {
      type = fmt::format("[map](#{})", Slug(SectionOf(section, field)));
    }
    if (field.is_map()) return type + " by name";
    if (!field.is_repeated()) return type;
    return RuleOf(field).single_or_list() ? type + ", or a list of them"
                                          : "list of " + type;
  }

  // " `binary`: 0 or 1."
  static std::string EnumMeanings(const EnumDescriptor& type) {
    const std::vector<std::string> names = EnumNames(type);
    std::string text;
    size_t next = 0;
    for (int i = 0; i < type.value_count(); ++i) {
      if (type.value(i)->number() == 0) continue;
      fmt::format_to(std::back_inserter(text), " `{}`: {}", names[next++],
                     Comment(*type.value(i)));
    }
    return text;
  }

  const google::protobuf::DescriptorPool& schema_;
  std::string text_;
};

std::string RestartFields() {
  const Descriptor& type = *v1::RouterConfig::descriptor();
  std::string fields;
  for (int i = 0; i < type.field_count(); ++i) {
    if (!RuleOf(*type.field(i)).restart()) continue;
    fmt::format_to(std::back_inserter(fields), "{}`{}`",
                   fields.empty() ? "" : ", ", type.field(i)->name());
  }
  return fields;
}

}  // namespace

absl::StatusOr<std::string> GenerateReference(std::string_view descriptors,
                                              std::string_view example) {
  google::protobuf::FileDescriptorSet set;
  if (!set.ParseFromString(std::string(descriptors))) {
    return absl::InvalidArgumentError("not a FileDescriptorSet");
  }
  google::protobuf::DescriptorPool schema;
  for (const google::protobuf::FileDescriptorProto& file : set.file()) {
    if (schema.BuildFile(file) == nullptr) {
      return absl::InvalidArgumentError(
          fmt::format("{} lacks its imports", file.name()));
    }
  }

  Page page(&schema);
  page.Write("{}{}{}", kIntroduction, example, kReading);
  page.Write("## What a change needs\n\n{}{}.{}", kChanges, RestartFields(),
             kEpochs);
  page.Write("## Fields\n\n");
  absl::Status status = page.WriteSections(*v1::RouterConfig::descriptor(), "");
  if (!status.ok()) return status;
  page.Write(
      "## Policies\n\n"
      "Every policy keeps each arm's probability at the floor or above: "
      "`p = f + (1 - K f) w` for K arms.\n\n");
  page.WritePolicies();
  page.Write(
      "## Built-in metrics\n\n"
      "The router measures these by itself; they need not be declared and can "
      "be the reward. Less of them is better: a policy that has one as its "
      "reward makes it small.\n\n"
      "| Metric | Meaning |\n"
      "|---|---|\n");
  for (const BuiltinMetric& metric : kBuiltinMetrics) {
    page.Write("| `{}` | {} |\n", metric.name, metric.meaning);
  }
  return page.Take();
}

}  // namespace bandit::config

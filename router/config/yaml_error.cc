// SPDX-License-Identifier: Apache-2.0
#include "router/config/yaml_error.h"

#include <algorithm>

namespace bandit::config {
namespace {

struct Wording {
  std::string_view yaml_cpp;  // What its message begins with.
  std::string_view ours;
};

constexpr Wording kWordings[] = {
    {"illegal tab", "a tab in the indentation, expected spaces"},
    {"end of map flow", "a { is not closed here, expected , or }"},
    {"end of sequence flow", "a [ is not closed here, expected , or ]"},
    {"end of map",
     "the indentation fits no map above, expected a `key: value` in line with "
     "its neighbours"},
    {"end of sequence",
     "the indentation fits no list above, expected a `- value` in line with "
     "its neighbours"},
    {"illegal map value",
     "a `: ` where no key can stand, expected quotes around the text, or "
     "another indentation"},
    {"illegal map key",
     "a key where none can stand, expected another indentation"},
    {"illegal block entry",
     "a `- ` where no list item can stand, expected it on a line of its own"},
    {"illegal flow end", "a ] or } that closes nothing, expected none"},
    {"illegal EOF", "a quoted text is not closed, expected its closing quote"},
    {"illegal document indicator",
     "a quoted text is not closed, expected its closing quote"},
    {"unknown token",
     "a value begins with @, % or `, expected quotes around it"},
    {"the referenced anchor",
     "a YAML alias (*name) without its anchor, expected &name before it"},
    {"unknown escape",
     "an unknown escape in a quoted text, expected \\\\ for a backslash"},
    {"bad file", "nested too deep, expected at most 32 levels"},
};

bool IndentedByTab(std::string_view line) {
  const size_t end = line.find_first_not_of(" \t");
  return end != std::string_view::npos &&
         line.substr(0, end).find('\t') != std::string_view::npos;
}

}  // namespace

YamlError Explain(const Lines& lines, int line, std::string_view message) {
  // The parser often stumbles a line after the cause; the sentinel's line, the
  // end of the file, is none of the file's.
  line = std::clamp(line, 1, lines.count());
  while (line > 1 && lines[line].empty()) --line;
  for (int i = line; i >= std::max(1, line - 1); --i) {
    if (IndentedByTab(lines[i])) return {i, std::string(kWordings[0].ours)};
  }
  // A key without its colon is taken for text that goes on in the next line.
  if (message.starts_with("illegal map value") && line > 1) {
    const std::string_view before = lines[line - 1];
    if (before.find_first_not_of(" \r") != std::string_view::npos &&
        before.find_first_of(":#-") == std::string_view::npos) {
      return {line - 1, "a key without its `: `, expected `key: value`"};
    }
  }
  const bool flow = message.find("flow not found") != std::string_view::npos;
  if (flow && lines[line].find("${") != std::string_view::npos) {
    return {line,
            "a ${NAME} between brackets or braces, expected quotes around it"};
  }
  for (const Wording& wording : kWordings) {
    if (message.starts_with(wording.yaml_cpp)) {
      return {line, std::string(wording.ours)};
    }
  }
  return {line, "not YAML, expected `key: value`"};
}

}  // namespace bandit::config

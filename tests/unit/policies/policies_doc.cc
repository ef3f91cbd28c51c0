// SPDX-License-Identifier: Apache-2.0
// Writes the policies and their parameters into a document, between its
// `registry: begin` and `registry: end` lines; or with `--check` fails if they
// are not what the registry says.
//
//   policies_doc [--check] docs/policies.md
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include "fmt/format.h"
#include "policies/policy.h"

namespace bandit::policies {
namespace {

constexpr std::string_view kBegin = "<!-- registry: begin -->\n";
constexpr std::string_view kEnd = "<!-- registry: end -->\n";

std::string Tables() {
  std::string text;
  for (const PolicyInfo* info : AllPolicies()) {
    text += fmt::format("\n**`{}`**: {}{}\n", info->name, info->summary,
                        info->contextual ? " Needs `context` features." : "");
    if (info->parameters.empty()) continue;
    text += "\n| parameter | default | range | meaning |\n|---|---|---|---|\n";
    for (const Parameter& p : info->parameters) {
      text += fmt::format("| `{}` | {:g} | {:g} to {:g} | {} |\n", p.name,
                          p.default_value, p.min, p.max, p.meaning);
    }
  }
  return text + "\n";
}

int Run(bool check, const char* path) {
  std::ifstream in(path);
  const std::string before{std::istreambuf_iterator<char>(in), {}};
  const size_t begin = before.find(kBegin);
  const size_t end = before.find(kEnd);
  if (begin == std::string::npos || end == std::string::npos || end < begin) {
    std::cerr << path << ": no registry section\n";
    return 1;
  }
  std::string after = before;
  const size_t start = begin + kBegin.size();
  after.replace(start, end - start, Tables());
  if (!check) {
    std::ofstream(path) << after;
    return 0;
  }
  for (const PolicyInfo* info : AllPolicies()) {
    if (before.find(fmt::format("\n## {}\n", info->name)) ==
        std::string::npos) {
      std::cerr << path << ": no section on " << info->name << "\n";
      return 1;
    }
  }
  if (after == before) return 0;
  std::cerr << path << ": not what the registry says; run `./dev docs`\n";
  return 1;
}

}  // namespace
}  // namespace bandit::policies

int main(int argc, char** argv) {
  const bool check = argc == 3 && std::string_view(argv[1]) == "--check";
  if (argc != 2 && !check) {
    std::cerr << "usage: policies_doc [--check] FILE\n";
    return 2;
  }
  return bandit::policies::Run(check, argv[argc - 1]);
}

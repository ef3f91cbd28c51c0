// SPDX-License-Identifier: Apache-2.0
// Holds docs/simulate.md to what is there: its commands print what it shows,
// its worlds can be read, and it names every field and flag.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "bandit/v1/world.pb.h"
#include "clients/cli/simulate.h"
#include "clients/cli/simulate_flags.h"
#include "router/config/field_rule.h"

namespace bandit::cli {
namespace {

using ::testing::HasSubstr;

struct Page {
  std::string text;
  std::map<std::string, std::string> files;   // By name, "world.yaml".
  std::map<std::string, std::string> output;  // By command, after the "$ ".
};

// The fenced blocks by their first lines.
Page ReadPage() {
  std::ifstream file(BANDIT_DOCS "/simulate.md");
  Page page;
  page.text.assign(std::istreambuf_iterator<char>(file), {});
  const std::vector<std::string> parts = absl::StrSplit(page.text, "```");
  // Every other part is a block; it begins with its language.
  for (size_t i = 1; i < parts.size(); i += 2) {
    const std::vector<std::string> lines = absl::StrSplit(parts[i], '\n');
    const std::string rest =
        absl::StrJoin(lines.begin() + 2, lines.end(), "\n");
    if (lines[0] == "yaml") {
      page.files[lines[1].substr(2)] = rest;
    } else {
      page.output[lines[1].substr(2)] = rest;
    }
  }
  return page;
}

std::string PathOf(const std::string& name) {
  return ::testing::TempDir() + "/simulate_docs_" + name;
}

// Its standard output.
std::string Ran(const std::string& command) {
  CLI::App app;
  SimulateOptions options;
  CLI::App* const simulate = app.add_subcommand("simulate", "");
  simulate->add_flag("--json");
  AddSimulateFlags(simulate, &options);
  std::vector<std::string> words = absl::StrSplit(command, ' ');
  words.erase(words.begin());
  // CLI11 takes them from the back.
  app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
  options.config = PathOf(options.config);
  options.world = PathOf(options.world);
  const Result result =
      Simulate(options, false, [](std::string_view, double) {});
  EXPECT_EQ(result.code, ExitCode::kOk) << result.error;
  return result.out;
}

TEST(SimulateDocsTest, CommandsPrintWhatThePageShows) {
  const Page page = ReadPage();
  ASSERT_EQ(page.output.size(), 2u);
  for (const auto& [name, text] : page.files) {
    std::ofstream(PathOf(name)) << text;
  }
  for (const auto& [command, output] : page.output) {
    EXPECT_EQ(Ran(command), output) << command;
  }
}

TEST(SimulateDocsTest, TheWorldOfDriftIsOne) {
  SimulateOptions options;
  options.config = PathOf("drift_config.yaml");
  options.world = PathOf("drift.yaml");
  options.rounds = 10;
  options.runs = 1;
  std::ofstream(options.config)
      << "backends: {b: {address: \"127.0.0.1:1\"}}\n"
         "experiments:\n"
         "  - name: ranker\n"
         "    match: {service: a.B}\n"
         "    arms: [{name: old, backend: b}, {name: new, backend: b}]\n"
         "    policy: {name: linucb}\n"
         "    metrics: [{name: click, kind: binary}]\n"
         "    context:\n"
         "      features:\n"
         "        - {name: device, metadata: x-device, categories: [ios, "
         "android]}\n"
         "        - {name: length, metadata: x-length, transform: log1p}\n";
  std::ofstream(options.world) << ReadPage().files["drift.yaml"];
  const Result result =
      Simulate(options, false, [](std::string_view, double) {});
  EXPECT_EQ(result.code, ExitCode::kOk) << result.error;
}

void Collect(const google::protobuf::Descriptor& type,
             std::set<std::string>* names) {
  for (int i = 0; i < type.field_count(); ++i) {
    const google::protobuf::FieldDescriptor& field = *type.field(i);
    names->insert(field.name());
    if (config::IsScalar(field)) continue;
    const google::protobuf::Descriptor* inner = field.message_type();
    if (field.is_map()) {
      inner = field.message_type()->map_value()->message_type();
    }
    if (inner != nullptr) Collect(*inner, names);
  }
}

TEST(SimulateDocsTest, NamesEveryFieldAndFlag) {
  const Page page = ReadPage();
  std::set<std::string> names;
  Collect(*v1::World::descriptor(), &names);
  EXPECT_GT(names.size(), 20u);
  for (const std::string& name : names) {
    // `name` or a part of `{a, name}`.
    EXPECT_TRUE(absl::StrContains(page.text, "`" + name + "`") ||
                absl::StrContains(page.text, "{" + name + ",") ||
                absl::StrContains(page.text, ", " + name + "}"))
        << name;
  }
  CLI::App app;
  SimulateOptions options;
  app.add_flag("--json");
  AddSimulateFlags(&app, &options);
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional() || option->check_lname("help")) continue;
    EXPECT_THAT(page.text, HasSubstr("`" + option->get_name()))
        << option->get_name();
  }
}

}  // namespace
}  // namespace bandit::cli

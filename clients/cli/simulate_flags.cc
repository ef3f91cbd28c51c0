// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/simulate_flags.h"

#include <CLI/CLI.hpp>

namespace bandit::cli {

void AddSimulateFlags(CLI::App* command, SimulateOptions* options) {
  command->add_option("CONFIG", options->config, "The config, a YAML file")
      ->required();
  command->add_option("--world", options->world,
                      "What each arm really gives, a YAML file: "
                      "docs/simulate.md");
  command->add_flag("--example", options->example,
                    "Print a world to begin with, for this config");
  command->add_option("--experiment", options->experiment,
                      "Which one; absent: the config's only one");
  command
      ->add_option("--policies", options->policies,
                   "Which to compare with the config's own and fixed_split: "
                   "thompson,epsilon_greedy:epsilon=0.05; absent: all")
      ->delimiter(',')
      // A file after it is the config.
      ->allow_extra_args(false);
  command->add_option("--rounds", options->rounds, "Decisions of a run")
      ->check(CLI::Range(uint64_t{1}, uint64_t{1'000'000'000}))
      ->capture_default_str();
  command->add_option("--runs", options->runs, "Runs of each policy")
      ->check(CLI::Range(1u, 100'000u))
      ->capture_default_str();
  command
      ->add_option("--seed", options->seed,
                   "The same seed gives the same result")
      ->capture_default_str();
  command
      ->add_option("--replicas", options->replicas,
                   "Routers that share the requests")
      ->check(CLI::Range(1u, 64u))
      ->capture_default_str();
  command
      ->add_option("--sync", options->sync,
                   "How often replicas exchange what they learned; 0s: never")
      ->capture_default_str();
  command->add_option("--delay", options->delay,
                      "Of every reward, instead of the world's: 30s");
  command->add_option("--rate", options->rate,
                      "Requests a second, instead of the world's: 20");
  CLI::Option* const csv = command->add_flag(
      "--csv", options->csv, "Print CSV, a line a policy and moment");
  CLI::Option* const html =
      command->add_option("--html", options->html,
                          "Write a page with plots to this file; - prints it");
  csv->excludes("--json");
  html->excludes("--json")->excludes(csv);
}

}  // namespace bandit::cli

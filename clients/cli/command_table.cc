// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/command_table.h"

#include <string_view>

#include "clients/cli/commands.h"
#include "clients/cli/completion.h"
#include "clients/cli/exit_codes.h"
#include "clients/cli/explain.h"
#include "clients/cli/options.h"
#include "clients/cli/power.h"
#include "clients/cli/progress.h"
#include "clients/cli/simulate_flags.h"
#include "clients/cli/watch.h"

namespace bandit::cli {
namespace {

// Whom a command asks.
enum class Asks { kRouter, kNobody };

struct Command {
  const char* name;
  Asks asks;
  void (*add)(CLI::App* command, Flags* flags);
  Result (*run)(const Flags& given);
  const char* description;
};

Result RunStatus(const Flags& given) {
  return Status(given.Router(), given.experiment, given.json, absl::Now());
}

Result RunReport(const Flags& given) {
  ReportOptions options = given.report;
  options.experiment = given.experiment;
  options.json = given.json;
  return Report(given.Router(), options);
}

Result RunExplain(const Flags& given) {
  ExplainOptions options = given.explain;
  options.experiment = given.experiment;
  return Explain(given.Router(), options, given.json);
}

Result RunWatch(const Flags& given) {
  WatchOptions options = given.watch;
  options.experiment = given.experiment;
  options.json = given.json;
  return Watch(given.Router(), options);
}

Result RunAct(const Flags& given) {
  ActOptions options = given.act;
  options.experiment = given.experiment;
  return Act(given.Router(), options, given.json);
}

Result RunAudit(const Flags& given) {
  AuditOptions options = given.audit;
  options.experiment = given.experiment;
  return Audit(given.Router(), options, given.json);
}

Result RunReinstate(const Flags& given) {
  return Reinstate(given.Router(), given.experiment, given.reason, given.json);
}

Result RunReward(const Flags& given) {
  return SendReward(given.Router(), given.reward, given.json);
}

Result RunValidate(const Flags& given) {
  return Validate(given.file, given.json);
}

Result RunPower(const Flags& given) { return Power(given.power, given.json); }

Result RunSimulate(const Flags& given) {
  Progress progress(stderr);
  return Simulate(given.simulate, given.json,
                  [&](std::string_view policy, double done) {
                    progress.Show(policy, done, absl::Now());
                  });
}

void AddSimulate(CLI::App* command, Flags* flags) {
  AddSimulateFlags(command, &flags->simulate);
}

Result RunCompletion(const Flags& given) {
  return CompletionScript(given.shell, given.json);
}

// In the order of --help.
constexpr Command kCommands[] = {
    {"validate", Asks::kNobody, AddFile, RunValidate,
     "Say whether a config is right, and where not"},
    {"status", Asks::kRouter, AddOneOrAll, RunStatus,
     "Show what the experiments of a router are doing"},
    {"watch", Asks::kRouter, AddWatch, RunWatch,
     "Keep showing it, with what changes and what happens"},
    {"report", Asks::kRouter, AddReport, RunReport,
     "Say what an experiment has shown, and what to do next"},
    {"explain", Asks::kRouter, AddExplain, RunExplain,
     "Say step by step why a request gets its arm now"},
    {"power", Asks::kNobody, AddPower, RunPower,
     "Plan an experiment: how many units, how many days"},
    {"simulate", Asks::kNobody, AddSimulate, RunSimulate,
     "Let policies run in a described world: regret and shares over time"},
    {"reward", Asks::kRouter, AddReward, RunReward,
     "Send one reward for a decision"},
    {"start", Asks::kRouter, AddAct, RunAct, "Let a draft run"},
    {"pause", Asks::kRouter, AddAct, RunAct,
     "Send all requests to the control arm, uncounted, for a while"},
    {"resume", Asks::kRouter, AddAct, RunAct,
     "Go on with what is paused, rolled back or concluded"},
    {"promote", Asks::kRouter, AddPromote, RunAct,
     "Conclude, and send all requests to an arm"},
    {"rollback", Asks::kRouter, AddAct, RunAct,
     "Send all requests to the control arm until a person resumes"},
    {"conclude", Asks::kRouter, AddAct, RunAct,
     "Conclude, and send all requests to the control arm"},
    {"reset", Asks::kRouter, AddAct, RunAct,
     "Forget what was learned, and begin a new epoch"},
    {"approve", Asks::kRouter, AddAct, RunAct,
     "Approve what another has asked for"},
    {"reinstate", Asks::kRouter, AddReinstate, RunReinstate,
     "Undo what guardrails did to an experiment: all arms are active again"},
    {"audit", Asks::kRouter, AddAudit, RunAudit,
     "Show who did what, and whether the log is whole"},
    {"completion", Asks::kNobody, AddShell, RunCompletion,
     "Print the script that lets a shell complete banditctl's lines"},
};

void Add(CLI::App* app, const Command& row, Chosen* chosen) {
  const auto flags = std::make_shared<Flags>();
  flags->act.verb = row.name;
  CLI::App* command = app->add_subcommand(row.name, row.description);
  command->footer(RenderExitCodes());
  command->add_flag("--json", flags->json, "Print JSON, for scripts");
  row.add(command, flags.get());
  if (row.asks == Asks::kRouter) AddRouter(command, flags.get());
  command->callback([flags, chosen, run = row.run] {
    *chosen = [flags, run] { return run(*flags); };
  });
}

}  // namespace

std::unique_ptr<CLI::App> MakeApp(Chosen* chosen) {
  auto app = std::make_unique<CLI::App>(
      "Asks a running bandit-router, and checks its configs.", "banditctl");
  app->footer(RenderExitCodes());
  app->require_subcommand(1);
  for (const Command& row : kCommands) Add(app.get(), row, chosen);
  return app;
}

}  // namespace bandit::cli

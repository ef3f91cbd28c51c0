// SPDX-License-Identifier: Apache-2.0
// banditctl: flags and printing. The commands are in commands.h.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>

#include "clients/cli/commands.h"
#include "clients/cli/power.h"
#include "clients/cli/progress.h"
#include "clients/cli/simulate_flags.h"

namespace {

using bandit::cli::ExitCode;
using bandit::cli::Result;

constexpr const char* kExitCodes =
    "Exit codes:\n"
    "  0  done; for a reward: ACCEPTED or DUPLICATE\n"
    "  1  the router cannot be reached, does not answer in time or failed\n"
    "  2  the config or the command line is wrong\n"
    "  3  the router has no experiment of that name\n"
    "  4  the reward does not count: LATE, UNKNOWN or REJECTED\n"
    "  5  the experiment's state does not allow it, or another must approve\n"
    "  6  the audit log is not as it was written\n";

// Each command has its own: CLI11 puts a value of the environment even into
// commands that were not asked for.
struct Flags {
  bandit::cli::RouterAddress router;
  double timeout_seconds = 5;
  bool json = false;
  std::string file;
  std::string experiment;
  std::string reason;
  bandit::cli::RewardOptions reward;
  bandit::cli::ReportOptions report;
  bandit::cli::PowerOptions power;
  bandit::cli::SimulateOptions simulate;
  bandit::cli::ActOptions act;
  bandit::cli::AuditOptions audit;

  bandit::cli::RouterAddress Router() const {
    bandit::cli::RouterAddress given = router;
    given.timeout = absl::Seconds(timeout_seconds);
    return given;
  }
};

using Command = std::function<Result(const Flags& flags)>;

// The command that the line names, bound to its flags.
using Chosen = std::function<Result()>;

CLI::App* AddCommand(CLI::App* app, const char* name, const char* description,
                     const std::shared_ptr<Flags>& flags, Chosen* chosen,
                     const Command& command) {
  CLI::App* added = app->add_subcommand(name, description);
  added->footer(kExitCodes);
  added->add_flag("--json", flags->json, "Print JSON, for scripts");
  added->callback([=] { *chosen = [=] { return command(*flags); }; });
  return added;
}

void AddRouterFlags(CLI::App* command, Flags* flags) {
  command
      ->add_option("--address", flags->router.address,
                   "The router's control address, or where it listens")
      ->envname("BANDIT_ADDRESS")
      ->capture_default_str();
  command
      ->add_option("--timeout", flags->timeout_seconds,
                   "Seconds to wait for the answer")
      ->check(CLI::Range(0.001, 86400.0))
      ->capture_default_str();
  command
      ->add_option("--token", flags->router.token,
                   "The router's control_token; better by the environment, "
                   "where other users do not see it")
      ->envname("BANDIT_CONTROL_TOKEN");
  CLI::Option_group* const tls = command->add_option_group(
      "TLS", "Cleartext unless one of these is given");
  tls->add_flag("--tls", flags->router.tls,
                "TLS with the system's authorities");
  tls->add_option("--tls-ca", flags->router.ca,
                  "PEM file of the authorities to trust instead");
  tls->add_option("--tls-cert", flags->router.certificate,
                  "PEM file with the certificate to show");
  tls->add_option("--tls-key", flags->router.key, "PEM file with its key");
  tls->add_option("--tls-name", flags->router.server_name,
                  "Name that the router's certificate must have; the "
                  "address's host if absent");
}

void AddValidate(CLI::App* app, Chosen* chosen) {
  const auto flags = std::make_shared<Flags>();
  CLI::App* command = AddCommand(
      app, "validate", "Say whether a config is right, and where not", flags,
      chosen, [](const Flags& given) {
        return bandit::cli::Validate(given.file, given.json);
      });
  command->add_option("FILE", flags->file, "The config, a YAML file")
      ->required();
}

void AddStatus(CLI::App* app, Chosen* chosen) {
  const auto flags = std::make_shared<Flags>();
  CLI::App* command = AddCommand(
      app, "status", "Show what the experiments of a router are doing", flags,
      chosen, [](const Flags& given) {
        return bandit::cli::Status(given.Router(), given.experiment, given.json,
                                   absl::Now());
      });
  command->add_option("EXPERIMENT", flags->experiment,
                      "Only this one; all if absent");
  AddRouterFlags(command, flags.get());
}

void AddReinstate(CLI::App* app, Chosen* chosen) {
  const auto flags = std::make_shared<Flags>();
  CLI::App* command = AddCommand(
      app, "reinstate",
      "Undo what guardrails did to an experiment: all arms are active again",
      flags, chosen, [](const Flags& given) {
        return bandit::cli::Reinstate(given.Router(), given.experiment,
                                      given.reason, given.json);
      });
  command->add_option("EXPERIMENT", flags->experiment, "Which one")->required();
  command->add_option("--reason", flags->reason, "Who and why, for the log");
  AddRouterFlags(command, flags.get());
}

void AddReward(CLI::App* app, Chosen* chosen) {
  const auto flags = std::make_shared<Flags>();
  CLI::App* command =
      AddCommand(app, "reward", "Send one reward for a decision", flags, chosen,
                 [](const Flags& given) {
                   return bandit::cli::SendReward(given.Router(), given.reward,
                                                  given.json);
                 });
  CLI::Option_group* const which =
      command->add_option_group("Decision", "Which decision; one of these");
  which->add_option("--decision", flags->reward.decision,
                    "The x-bandit-decision of a response");
  which->add_option("--request-id", flags->reward.request_id,
                    "The x-request-id of the request, if the router's config "
                    "has a `join`");
  which->require_option(1);
  command->add_option("--value", flags->reward.value, "The reward")->required();
  command->add_option("--metric", flags->reward.metric,
                      "Absent: the experiment's reward metric");
  AddRouterFlags(command, flags.get());
}

void AddReport(CLI::App* app, Chosen* chosen) {
  const auto flags = std::make_shared<Flags>();
  CLI::App* command = AddCommand(
      app, "report", "Say what an experiment has shown, and what to do next",
      flags, chosen, [](const Flags& given) {
        bandit::cli::ReportOptions options = given.report;
        options.json = given.json;
        return bandit::cli::Report(given.Router(), options);
      });
  command->add_option("EXPERIMENT", flags->report.experiment)->required();
  CLI::Option* const csv = command->add_flag(
      "--csv", flags->report.csv, "Print CSV, a line a metric and arm");
  CLI::Option* const html =
      command->add_option("--html", flags->report.html,
                          "Write a page with plots to this file; - prints it");
  csv->excludes("--json");
  html->excludes("--json")->excludes(csv);
  AddRouterFlags(command, flags.get());
}

struct Verb {
  const char* name;
  const char* description;
};
constexpr Verb kVerbs[] = {
    {"start", "Let a draft run"},
    {"pause", "Send all requests to the control arm, uncounted, for a while"},
    {"resume", "Go on with what is paused, rolled back or concluded"},
    {"promote", "Conclude, and send all requests to an arm"},
    {"rollback", "Send all requests to the control arm until a person resumes"},
    {"conclude", "Conclude, and send all requests to the control arm"},
    {"approve", "Approve what another has asked for"},
};

void AddAct(CLI::App* app, const Verb& verb, Chosen* chosen) {
  const auto flags = std::make_shared<Flags>();
  flags->act.verb = verb.name;
  CLI::App* command = AddCommand(
      app, verb.name, verb.description, flags, chosen, [](const Flags& given) {
        return bandit::cli::Act(given.Router(), given.act, given.json);
      });
  command->add_option("EXPERIMENT", flags->act.experiment, "Its name")
      ->required();
  if (flags->act.verb == "promote") {
    command->add_option("ARM", flags->act.arm, "The arm")->required();
  }
  command->add_option("--why", flags->act.why, "The reason, for the audit log");
  command
      ->add_option("--as", flags->act.who,
                   "Your name, for the audit log; a token of the router's "
                   "`identities` says it better")
      ->envname("USER");
  AddRouterFlags(command, flags.get());
}

void AddPower(CLI::App* app, Chosen* chosen) {
  const auto flags = std::make_shared<Flags>();
  CLI::App* command = AddCommand(
      app, "power", "Plan an experiment: how many units, how many days", flags,
      chosen, [](const Flags& given) {
        return bandit::cli::Power(given.power, given.json);
      });
  bandit::cli::PowerOptions* const plan = &flags->power;
  command
      ->add_option("--baseline", plan->baseline,
                   "The control's rate, or its mean with --sd")
      ->required();
  command
      ->add_option("--mde", plan->effect,
                   "The smallest difference worth finding")
      ->required();
  command->add_flag("--relative", plan->relative,
                    "--mde is a fraction of the baseline");
  command->add_option("--sd", plan->deviation,
                      "Standard deviation of a unit's value; absent: a rate");
  command->add_option("--alpha", plan->alpha, "Chance of a false alarm")
      ->capture_default_str();
  command
      ->add_option("--power", plan->power,
                   "Chance to find the difference if it is there")
      ->capture_default_str();
  command->add_option("--arms", plan->arms, "The control included")
      ->capture_default_str();
  command->add_option("--control-share", plan->control_share,
                      "Of the units; absent: as much as the others");
  command->add_option("--correlation", plan->correlation,
                      "Of a covariate with the metric");
  command->add_option("--per-day", plan->per_day, "Units a day");
}

void AddSimulate(CLI::App* app, Chosen* chosen) {
  const auto flags = std::make_shared<Flags>();
  CLI::App* command = AddCommand(
      app, "simulate",
      "Let policies run in a described world: regret and shares over time",
      flags, chosen, [](const Flags& given) {
        bandit::cli::Progress progress(stderr);
        return bandit::cli::Simulate(given.simulate, given.json,
                                     [&](std::string_view policy, double done) {
                                       progress.Show(policy, done, absl::Now());
                                     });
      });
  bandit::cli::AddSimulateFlags(command, &flags->simulate);
}

void AddAudit(CLI::App* app, Chosen* chosen) {
  const auto flags = std::make_shared<Flags>();
  CLI::App* command = AddCommand(
      app, "audit", "Show who did what, and whether the log is whole", flags,
      chosen, [](const Flags& given) {
        return bandit::cli::Audit(given.Router(), given.audit, given.json);
      });
  command->add_option("EXPERIMENT", flags->audit.experiment,
                      "Only of this one; all if absent");
  command->add_option("--last", flags->audit.last, "Only the newest so many")
      ->check(CLI::Range(1u, 1'000'000u))
      ->capture_default_str();
  AddRouterFlags(command, flags.get());
}

int Print(const Result& result) {
  std::fputs(result.error.c_str(), stderr);
  std::fputs(result.out.c_str(), stdout);
  if (std::fflush(stdout) != 0) {
    std::perror("banditctl: standard output");
    return static_cast<int>(ExitCode::kNoAnswer);
  }
  return static_cast<int>(result.code);
}

}  // namespace

int main(int argc, char** argv) {
  Chosen chosen;
  CLI::App app("Asks a running bandit-router, and checks its configs.");
  app.footer(kExitCodes);
  app.set_version_flag("--version", "banditctl " BANDIT_VERSION);
  app.require_subcommand(1);
  AddValidate(&app, &chosen);
  AddStatus(&app, &chosen);
  AddReinstate(&app, &chosen);
  AddReport(&app, &chosen);
  AddPower(&app, &chosen);
  AddSimulate(&app, &chosen);
  AddReward(&app, &chosen);
  for (const Verb& verb : kVerbs) AddAct(&app, verb, &chosen);
  AddAudit(&app, &chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // 0 for --help and --version.
    return app.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::kInvalid);
  }
  // gRPC's own log tells what the commands tell better.
  setenv("GRPC_VERBOSITY", "NONE", /*replace=*/0);
  return Print(chosen());
}

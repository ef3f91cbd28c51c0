// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/options.h"

namespace bandit::cli {

void AddFile(CLI::App* command, Flags* flags) {
  command->add_option("FILE", flags->file, "The config, a YAML file")
      ->required();
}

void AddOneOrAll(CLI::App* command, Flags* flags) {
  command->add_option("EXPERIMENT", flags->experiment,
                      "Only this one; all if absent");
}

void AddExperiment(CLI::App* command, Flags* flags) {
  command->add_option("EXPERIMENT", flags->experiment, "Its name")->required();
}

void AddWatch(CLI::App* command, Flags* flags) {
  AddOneOrAll(command, flags);
  command
      ->add_option("--interval", flags->watch.interval_seconds,
                   "Seconds between two looks")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
  CLI::Option* const count =
      command
          ->add_option("--count", flags->watch.count,
                       "End after so many looks; 0: never")
          ->capture_default_str();
  command
      ->add_flag_callback(
          "--once", [flags] { flags->watch.count = 1; },
          "Look once, as with --count 1")
      ->excludes(count);
}

void AddReport(CLI::App* command, Flags* flags) {
  AddExperiment(command, flags);
  CLI::Option* const csv = command->add_flag(
      "--csv", flags->report.csv, "Print CSV, a line a metric and arm");
  CLI::Option* const html =
      command
          ->add_option("--html", flags->report.html,
                       "Write a page with plots to this file; - prints it")
          ->type_name("FILE");
  csv->excludes("--json");
  html->excludes("--json")->excludes(csv);
}

void AddExplain(CLI::App* command, Flags* flags) {
  AddExperiment(command, flags);
  ExplainOptions* const asked = &flags->explain;
  command->add_option("--unit", asked->unit,
                      "The unit: the value of the experiment's unit metadata");
  command
      ->add_option("--metadata", asked->metadata,
                   "Metadata of the request, KEY=VALUE; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->check([](const std::string& text) {
        return text.find('=') == std::string::npos || text.front() == '='
                   ? "expected KEY=VALUE, not " + text
                   : std::string();
      });
  command->add_option("--model", asked->model, "The message's model name");
  command->add_option("--service", asked->service, "gRPC service, in full");
  command->add_option("--method", asked->method, "Its method");
  command->add_option("--authority", asked->authority,
                      "The request's authority");
  command->footer(
      "What is not given is taken from the experiment's first match rule.\n\n" +
      command->get_footer());
}

void AddReward(CLI::App* command, Flags* flags) {
  CLI::Option_group* const which =
      command->add_option_group("Decision", "Which decision; one of these");
  which->add_option("--decision", flags->reward.decision,
                    "The x-bandit-decision of a response");
  which->add_option("--request-id", flags->reward.request_id,
                    "The x-request-id of the request, if the router's config "
                    "has a `join`");
  which->require_option(1);
  command->add_option("--value", flags->reward.value, "The reward")->required();
  command
      ->add_option("--metric", flags->reward.metric,
                   "Absent: the experiment's reward metric")
      ->type_name("METRIC");
}

namespace {

void AddWhy(CLI::App* command, Flags* flags) {
  command->add_option("--why", flags->act.why, "The reason, for the audit log");
  command
      ->add_option("--as", flags->act.who,
                   "Your name, for the audit log; a token of the router's "
                   "`identities` says it better")
      ->envname("USER");
}

}  // namespace

void AddAct(CLI::App* command, Flags* flags) {
  AddExperiment(command, flags);
  AddWhy(command, flags);
}

void AddPromote(CLI::App* command, Flags* flags) {
  AddExperiment(command, flags);
  command->add_option("ARM", flags->act.arm, "The arm")->required();
  AddWhy(command, flags);
}

void AddReinstate(CLI::App* command, Flags* flags) {
  AddExperiment(command, flags);
  command->add_option("--reason", flags->reason, "Who and why, for the log");
}

void AddAudit(CLI::App* command, Flags* flags) {
  AddOneOrAll(command, flags);
  command->add_option("--last", flags->audit.last, "Only the newest so many")
      ->check(CLI::Range(1u, 1'000'000u))
      ->capture_default_str();
}

void AddPower(CLI::App* command, Flags* flags) {
  PowerOptions* const plan = &flags->power;
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

void AddShell(CLI::App* command, Flags* flags) {
  command->add_option("SHELL", flags->shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
}

void AddRouter(CLI::App* command, Flags* flags) {
  RouterAddress* const router = &flags->router;
  command
      ->add_option("--address", router->address,
                   "The router's control address, or where it listens")
      ->envname("BANDIT_ADDRESS")
      ->capture_default_str();
  command
      ->add_option("--timeout", flags->timeout_seconds,
                   "Seconds to wait for the answer")
      ->check(CLI::Range(0.001, 86400.0))
      ->capture_default_str();
  command
      ->add_option("--token", router->token,
                   "The router's control_token; better by the environment, "
                   "where other users do not see it")
      ->envname("BANDIT_CONTROL_TOKEN");
  CLI::Option_group* const tls = command->add_option_group(
      "TLS", "Cleartext unless one of these is given");
  tls->add_flag("--tls", router->tls, "TLS with the system's authorities");
  const auto file = [tls](const char* name, std::string* value,
                          const char* description) {
    tls->add_option(name, *value, description)->type_name("FILE");
  };
  file("--tls-ca", &router->ca, "PEM file of the authorities to trust instead");
  file("--tls-cert", &router->certificate,
       "PEM file with the certificate to show");
  file("--tls-key", &router->key, "PEM file with its key");
  tls->add_option("--tls-name", router->server_name,
                  "Name that the router's certificate must have; the "
                  "address's host if absent");
}

}  // namespace bandit::cli

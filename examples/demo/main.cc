// SPDX-License-Identifier: Apache-2.0
// demo: starts model servers and the router, sends real pictures through it,
// rewards right answers, and shows how the split learns.
//
// Exit code 0: the loop worked. 1: it did not, and the last lines say why.
// 2: bad flags. 130: interrupted.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "CLI/CLI.hpp"
#include "examples/demo/fleet.h"
#include "examples/demo/screen.h"
#include "examples/demo/session.h"
#include "examples/demo/story.h"
#include "examples/demo/summary.h"
#include "examples/digits/variants.h"
#include "fmt/format.h"
#include "policies/policy.h"

namespace bandit::demo {
namespace {

std::atomic<bool> g_stop{false};
static_assert(std::atomic<bool>::is_always_lock_free,
              "set by a signal handler");

struct Flags {
  std::string scenario = "learning";
  std::string policy = "thompson";
  double seconds = 60;
  double rate = 60;
  double reward_delay = 1;
  uint64_t seed = 1;
  bool json = false;
  std::string keep_config;
  std::string router;
};

void OnSignal(int) { g_stop = true; }

void CatchSignals() {
  struct sigaction action = {};
  action.sa_handler = OnSignal;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    sigaction(signal, &action, nullptr);
  }
  // Output that nobody reads any more (`| head`) must not kill the demo before
  // it has stopped its children.
  action.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &action, nullptr);
}

// Where this program lies: the router is beside it, the model servers are in
// examples/.
std::filesystem::path OwnDirectory() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
}

bool Regression(const Flags& flags) { return flags.scenario == "regression"; }

RunFacts StartRun(const Flags& flags) {
  RunFacts run;
  run.policy = flags.policy;
  run.seed = flags.seed;
  run.adaptive = flags.policy != "fixed_split";
  run.regression = Regression(flags);
  run.contextual = policies::FindPolicy(flags.policy)->contextual;
  for (const digits::Variant& variant : digits::AllVariants()) {
    run.arms.push_back({std::string(variant.name), variant.cost});
  }
  return run;
}

void Introduce(const Fleet& fleet, int held_out, std::FILE* out) {
  fmt::print(out,
             "bandit-router on {}, metrics on http://{}/metrics\n"
             "\nThe arms, and how many of {} held-out pictures they get right "
             "(the router does not know)\n",
             fleet.listen(), fleet.admin(), held_out);
  for (const Fleet::Server& server : fleet.servers()) {
    fmt::print(out, "  {:<11} scanner {:>4.1f} %  camera {:>4.1f} %  {}\n",
               server.variant, 100 * server.accuracy_scanner,
               100 * server.accuracy_camera,
               digits::FindVariant(server.variant)->summary);
  }
  fmt::print(out, "\n");
  std::fflush(out);
}

int Fail(const absl::Status& status) {
  if (g_stop) {
    fmt::print(stderr, "demo: interrupted\n");
    return 130;
  }
  fmt::print(
      stderr, "demo: {}\n",
      std::string_view(status.message().data(), status.message().size()));
  return 1;
}

// The arm that takes most of the traffic now turns slow; not the control arm,
// the first.
void Regress(const RunFacts& run, const Tally& tally, absl::Duration now,
             Fleet* fleet, Story* story) {
  const std::vector<double> shares = tally.Shares(now - absl::Seconds(5), now);
  const auto most = std::max_element(shares.begin() + 1, shares.end());
  const std::string& arm = run.arms[most - shares.begin()].name;
  fleet->Degrade(arm);
  story->Degraded(arm, now);
}

int RunDemo(const Flags& flags) {
  CatchSignals();
  const std::filesystem::path here = OwnDirectory();
  const std::string data = here / "examples/data/digits.csv.gz";
  const absl::StatusOr<digits::Samples> samples = digits::LoadDigits(data);
  if (!samples.ok()) return Fail(samples.status());
  digits::Samples held_out = digits::SplitDigits(*samples).held_out;
  const int count = held_out.size();

  const absl::StatusOr<std::unique_ptr<Fleet>> fleet = Fleet::Start(
      {.server = here / "examples/digits_server",
       .router = flags.router.empty() ? (here / "bandit-router").string()
                                      : flags.router,
       .data = data,
       .policy = flags.policy,
       .keep_config = flags.keep_config,
       .guardrail = Regression(flags)},
      g_stop);
  if (!fleet.ok()) return Fail(fleet.status());

  // With --json, standard output is for the summary alone.
  std::FILE* const out = flags.json ? stderr : stdout;
  Introduce(**fleet, count, out);

  RunFacts run = StartRun(flags);
  Tally tally(run.arms.size());
  Workload workload(count, flags.rate, absl::Seconds(flags.reward_delay),
                    flags.seed);
  SessionInput input{.address = (*fleet)->listen(),
                     .traffic = absl::Seconds(flags.seconds),
                     .longest_reward_delay = workload.longest_reward_delay(),
                     .arms = {},
                     .pictures = {}};
  Story story;
  input.on_served = [&](absl::Duration sent, absl::Duration latency) {
    story.Served(sent, latency);
  };
  for (const ArmInfo& arm : run.arms) input.arms.push_back(arm.name);
  digits::Samples photographs = digits::HeldOutPhotographs(held_out);
  input.pictures.push_back(std::move(held_out));
  input.pictures.push_back(std::move(photographs));
  Session session(std::move(input), &workload, &tally);

  Screen screen(out, isatty(fileno(out)) == 1);
  absl::Duration next_draw = screen.interval();
  const absl::Status status = session.Run(g_stop, [&](const View& view) {
    if (view.elapsed >= next_draw) {
      next_draw = view.elapsed + screen.interval();
      run.router = session.router();
      screen.Draw(RenderTable(view, run, tally));
    }
    if (Regression(flags)) {
      if (session.router().has_value()) {
        story.Observe(*session.router(), view.elapsed);
      }
      if (story.degraded_arm().empty() && view.elapsed >= view.total / 2) {
        Regress(run, tally, view.elapsed, fleet->get(), &story);
      }
    }
    return (*fleet)->Check();
  });
  if (!status.ok()) return Fail(status);

  run.traffic = session.traffic();
  run.interrupted = g_stop;
  run.rewards_retried = session.rewards_retried();
  run.rewards_open = session.rewards_open();
  run.router = session.router();
  Summary summary = Summarize(tally, run);
  if (Regression(flags) && !run.interrupted) {
    for (std::string& problem : story.Problems()) {
      summary.problems.push_back(std::move(problem));
    }
  }
  fmt::print(out, "{}", SummaryText(summary, tally));
  if (Regression(flags)) fmt::print(out, "{}", story.Text());
  if (flags.json) fmt::print("{}\n", SummaryJson(summary, tally).dump(2));
  if (run.interrupted) return 130;
  return summary.problems.empty() ? 0 : 1;
}

}  // namespace
}  // namespace bandit::demo

int main(int argc, char** argv) {
  std::vector<std::string> names;
  for (const auto* policy : bandit::policies::AllPolicies()) {
    names.emplace_back(policy->name);
  }
  bandit::demo::Flags flags;
  CLI::App app("Routes real inference traffic and lets rewards move it.",
               "demo");
  app.add_option("--scenario", flags.scenario,
                 "learning, or regression: half-way an arm turns slow; "
                 "learning")
      ->check(CLI::IsMember({"learning", "regression"}));
  app.add_option("--policy", flags.policy, "Default thompson")
      ->check(CLI::IsMember(names));
  app.add_option("--seconds", flags.seconds, "Length of the traffic; 60")
      ->check(CLI::Range(1.0, 3600.0));
  app.add_option("--rate", flags.rate, "Requests per second; 60")
      ->check(CLI::Range(1.0, 2000.0));
  app.add_option("--reward-delay", flags.reward_delay,
                 "Seconds from an answer to its reward, on average; 1")
      ->check(CLI::Range(0.0, 60.0));
  app.add_option("--seed", flags.seed, "Of the traffic; 1");
  app.add_flag("--json", flags.json,
               "Summary as JSON on standard output, the rest on standard "
               "error");
  app.add_option("--keep-config", flags.keep_config,
                 "Write the router's config here too");
  app.add_option("--router", flags.router,
                 "The router's binary; default: bandit-router beside this");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return bandit::demo::RunDemo(flags);
}

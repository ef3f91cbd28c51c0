// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/simulate.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <utility>

#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "clients/cli/json.h"
#include "fmt/format.h"
#include "router/config/load.h"
#include "router/config/nearest.h"
#include "router/config/read_file.h"
#include "router/config/scalar.h"
#include "router/simulation/contenders.h"
#include "router/simulation/example_world.h"
#include "router/simulation/world.h"

namespace bandit::cli {
namespace {

// The clock of a run counts nanoseconds.
constexpr double kLongest = 3e9;  // Seconds.

Result Wrong(std::string message) {
  return {ExitCode::kInvalid, "", std::move(message) + "\n"};
}

Result Wrong(const absl::Status& status) {
  return Wrong(std::string(status.message()));
}

std::vector<std::string> ExperimentNames(const v1::RouterConfig& config) {
  std::vector<std::string> names;
  for (const v1::ExperimentConfig& experiment : config.experiments()) {
    names.push_back(experiment.name());
  }
  return names;
}

// Empty, or why there is none; `name` is filled in.
std::string ChooseExperiment(const v1::RouterConfig& config,
                             const std::string& file, std::string* name) {
  const std::vector<std::string> names = ExperimentNames(config);
  if (names.empty()) return fmt::format("{} has no experiments", file);
  if (name->empty() && names.size() == 1) *name = names[0];
  if (name->empty()) {
    return fmt::format(
        "{} has several experiments: choose one, --experiment {}", file,
        config::AnyOf(names));
  }
  if (std::find(names.begin(), names.end(), *name) != names.end()) return "";
  return fmt::format("{} has no experiment \"{}\", expected {}{}", file, *name,
                     config::AnyOf(names), config::DidYouMean(*name, names));
}

// What the flags say beside the numbers that CLI11 has checked.
struct Given {
  absl::Duration sync;
  std::optional<absl::Duration> delay;
  std::optional<double> rate;
};

absl::StatusOr<Given> ParseFlags(const SimulateOptions& options) {
  Given given;
  const auto sync = config::ParseDuration(options.sync);
  if (!sync.has_value()) {
    return absl::InvalidArgumentError(fmt::format(
        "--sync \"{}\" is not a duration such as 1s or 250ms", options.sync));
  }
  given.sync = *sync;
  if (!options.delay.empty()) {
    given.delay = config::ParseDuration(options.delay);
    if (!given.delay.has_value()) {
      return absl::InvalidArgumentError(fmt::format(
          "--delay \"{}\" is not a duration such as 30s or 5m", options.delay));
    }
  }
  if (!options.rate.empty()) {
    const absl::string_view number = absl::StripSuffix(options.rate, "/s");
    given.rate = config::ParseNumber({number.data(), number.size()});
    if (!given.rate.has_value() || !(*given.rate >= 1e-6) ||
        *given.rate > 1e6) {
      return absl::InvalidArgumentError(fmt::format(
          "--rate \"{}\" is not a number of requests a second in [1e-6, 1e6], "
          "such as 20",
          options.rate));
    }
  }
  return given;
}

// `-` is standard output.
Result Write(const std::string& page, const std::string& file) {
  if (file == "-") return {ExitCode::kOk, page, ""};
  std::ofstream out(file, std::ios::binary);
  out << page;
  out.close();
  if (!out.fail()) return {ExitCode::kOk, "", ""};
  return Wrong(
      fmt::format("{} cannot be written: {}", file, std::strerror(errno)));
}

Result Render(const SimulateOptions& options, bool json,
              const v1::Simulation& simulation) {
  if (!options.html.empty()) {
    return Write(RenderSimulationHtml(simulation), options.html);
  }
  if (options.csv) return {ExitCode::kOk, RenderSimulationCsv(simulation), ""};
  return {ExitCode::kOk,
          json ? ToJson(simulation) : RenderSimulation(simulation), ""};
}

std::string Took(const v1::Simulation& simulation, absl::Duration time) {
  const double decisions = static_cast<double>(simulation.rounds()) *
                           simulation.runs() * simulation.policies_size();
  const double seconds = std::max(absl::ToDoubleSeconds(time), 1e-9);
  return fmt::format("{:.4g} decisions in {:.3g} s, {:.3g} a second\n",
                     decisions, seconds, decisions / seconds);
}

// The run itself. `described` is a world for the contenders' experiment.
Result Go(const SimulateOptions& options, bool json, const Given& given,
          const simulation::Contenders& contenders, v1::World described,
          absl::Duration tick, const simulation::OnProgress& on_progress) {
  if (given.delay.has_value()) {
    described.clear_delay();
    *described.mutable_delay()->mutable_median() =
        config::ToProto(*given.delay);
  }
  const simulation::World world(described,
                                contenders.all[0].plan->experiments[0]);
  const double rate = given.rate.has_value() ? *given.rate
                      : described.has_rate()
                          ? described.rate()
                          : simulation::RateFor(world, options.rounds);
  if (static_cast<double>(options.rounds) / rate > kLongest) {
    return Wrong(fmt::format(
        "{} rounds at {:.4g} a second take more than 95 years, expected fewer "
        "--rounds or a higher --rate",
        options.rounds, rate));
  }
  const absl::Time begin = absl::Now();
  const auto simulation = simulation::Simulate(
      contenders, world,
      {.rounds = options.rounds,
       .rate = rate,
       .seed = options.seed,
       .replicas = options.replicas,
       .sync = options.replicas > 1 ? given.sync : absl::ZeroDuration(),
       .tick = tick},
      options.runs, on_progress);
  if (!simulation.ok()) {
    return {ExitCode::kNoAnswer, "",
            std::string(simulation.status().message()) + "\n"};
  }
  Result result = Render(options, json, *simulation);
  if (result.code == ExitCode::kOk) {
    result.error += Took(*simulation, absl::Now() - begin);
  }
  return result;
}

}  // namespace

Result Simulate(const SimulateOptions& options, bool json,
                const simulation::OnProgress& on_progress) {
  // Certificates are of no use here, and often not at hand.
  const auto loaded = config::Load(options.config, config::ProcessEnvironment(),
                                   config::Files::kIgnore);
  if (!loaded.ok()) return Wrong(loaded.status());
  std::string experiment = options.experiment;
  const std::string none =
      ChooseExperiment(loaded->proto, options.config, &experiment);
  if (!none.empty()) return Wrong(none);
  const auto given = ParseFlags(options);
  if (!given.ok()) return Wrong(given.status());
  const auto contenders =
      simulation::MakeContenders(loaded->proto, experiment, options.policies);
  if (!contenders.ok()) return Wrong(contenders.status());
  const experiment::Experiment& compiled =
      contenders->all[0].plan->experiments[0];
  if (options.example) {
    return {ExitCode::kOk, simulation::ExampleWorld(compiled), ""};
  }
  if (options.world.empty()) {
    return Wrong(
        "--world is missing: what each arm really gives; --example prints one "
        "to begin with");
  }
  const auto text = config::ReadFile(options.world, "a world file");
  if (!text.ok()) return Wrong(text.status());
  auto world = simulation::ReadWorld(*text, options.world,
                                     config::ProcessEnvironment(), compiled);
  if (!world.ok()) return Wrong(world.status());
  return Go(options, json, *given, *contenders, *std::move(world),
            config::FromProto(loaded->proto.learner().tick()), on_progress);
}

}  // namespace bandit::cli

// SPDX-License-Identifier: Apache-2.0
// What must hold of an experiment's guardrails, and of webhooks.
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "fmt/format.h"
#include "router/config/checks.h"
#include "router/config/validate.h"
#include "router/config/webhook_url.h"

namespace bandit::config {
namespace {

constexpr std::array<std::string_view, 5> kBounds = {
    "below", "above", "below_control_times", "below_control_plus",
    "above_control_minus"};

// As in the schema.
constexpr uint32_t kDefaultMinSamples = 100;
constexpr absl::Duration kDefaultWindow = absl::Minutes(1);
constexpr double kDefaultAlpha = 0.01;

const std::vector<std::string>& EventNames() {
  static const auto& names = *new std::vector<std::string>{
      "alert",     "hold",   "release",     "ejected",
      "probation", "active", "rolled_back", "reinstated"};
  return names;
}

absl::Duration FromProto(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) +
         absl::Nanoseconds(duration.nanos());
}

bool IsHistogram(std::string_view metric) {
  return metric == "latency_ms" || metric == "ttfb_ms";
}

bool IsBinary(const v1::ExperimentConfig& experiment, std::string_view metric) {
  if (metric == "error") return true;
  return std::any_of(experiment.metrics().begin(), experiment.metrics().end(),
                     [&](const v1::MetricConfig& one) {
                       return one.name() == metric &&
                              one.kind() == v1::METRIC_KIND_BINARY;
                     });
}

// The bound that is given; exactly one must be.
std::optional<std::string_view> CheckBounds(const Path& path, Report* report) {
  std::vector<std::string_view> given;
  bool broken = false;
  for (const std::string_view bound : kBounds) {
    broken |= report->Broken(path.Field(bound));
    if (report->Given(path.Field(bound))) given.push_back(bound);
  }
  if (broken) return std::nullopt;
  if (given.size() == 1) return given[0];
  if (given.empty()) {
    report->Fail(path, fmt::format("has no bound, expected one of {}",
                                   fmt::join(kBounds, ", ")));
  } else {
    report->Fail(
        path.Field(given[1]),
        fmt::format("is given beside {}, expected one of them", given[0]));
  }
  return std::nullopt;
}

void CheckQuantile(const Path& path, const v1::GuardrailConfig& rule,
                   std::string_view bound, Report* report) {
  if (report->Broken(path.Field("quantile"))) return;
  const bool times = bound == "below_control_times";
  if (!rule.has_quantile()) {
    if (times) {
      report->Fail(path.Field(bound),
                   "compares quantiles, expected quantile beside it");
    }
    return;
  }
  const Path quantile = path.Field("quantile");
  const std::string& metric = rule.metric();
  if (times ? !IsHistogram(metric)
            : !IsHistogram(metric) && metric != "response_bytes") {
    report->Fail(quantile,
                 times ? "is not kept of this metric, expected latency_ms or "
                         "ttfb_ms"
                       : "is not kept of this metric, expected latency_ms, "
                         "ttfb_ms or response_bytes");
  } else if (!times && bound != "below") {
    report->Fail(quantile, fmt::format("is given beside {}, expected below or "
                                       "below_control_times",
                                       bound));
  }
}

void CheckRate(const Path& path, const v1::GuardrailConfig& rule,
               std::string_view bound, Report* report) {
  const double value = bound == "below"   ? rule.below()
                       : bound == "above" ? rule.above()
                       : bound == "below_control_plus"
                           ? rule.below_control_plus()
                           : rule.above_control_minus();
  if (value >= 0 && value < 1) return;
  report->FailValue(path.Field(bound), fmt::format("{}", value),
                    "is no rate, expected a number in [0, 1)");
}

// Fields of the other test say that something is misunderstood, unless they are
// at their defaults.
void CheckTest(const Path& path, const v1::GuardrailConfig& rule,
               Report* report) {
  const bool threshold = rule.test() == v1::GUARDRAIL_TEST_THRESHOLD;
  const auto check = [&](std::string_view field, bool of_threshold,
                         bool is_default) {
    if (of_threshold == threshold || is_default) return;
    const std::string_view test = of_threshold ? "threshold" : "anytime";
    report->Fail(path.Field(field),
                 fmt::format("is for the test {} only, expected `test: {}` "
                             "beside it",
                             test, test));
  };
  check("min_samples", true, rule.min_samples() == kDefaultMinSamples);
  check("window", true, FromProto(rule.window()) == kDefaultWindow);
  check("alpha", false, rule.alpha() == kDefaultAlpha);
}

// `one_arm`: there is one, and not for want of others that could be read.
void CheckRule(const Path& path, const v1::ExperimentConfig& experiment,
               bool one_arm, const v1::GuardrailConfig& rule, Report* report) {
  if (!report->Broken(path.Field("test"))) CheckTest(path, rule, report);
  const std::optional<std::string_view> bound = CheckBounds(path, report);
  if (!bound.has_value() || rule.metric().empty() ||
      report->Broken(path.Field("metric"))) {
    return;
  }
  if (bound->find("control") != std::string_view::npos && one_arm) {
    report->Fail(path.Field(*bound),
                 "compares with the control arm, expected another arm");
  }
  CheckQuantile(path, rule, *bound, report);
  if (IsBinary(experiment, rule.metric()) && !rule.has_quantile() &&
      *bound != "below_control_times") {
    CheckRate(path, rule, *bound, report);
  }
}

void CheckProbation(const Path& path, const v1::ProbationConfig& probation,
                    Report* report) {
  const Path base_path = path.Field("base_ejection");
  const Path max_path = path.Field("max_ejection");
  if (report->Broken(base_path) || report->Broken(max_path)) return;
  const absl::Duration base = FromProto(probation.base_ejection());
  const absl::Duration max = FromProto(probation.max_ejection());
  if (base <= max) return;
  const Path& mend = report->Given(max_path) ? max_path : base_path;
  report->FailValue(mend,
                    absl::FormatDuration(report->Given(max_path) ? max : base),
                    "does not fit, expected base_ejection <= max_ejection");
}

}  // namespace

void ValidateGuardrails(const Path& path,
                        const v1::ExperimentConfig& experiment,
                        Report* report) {
  const Path rules = path.Field("guardrails");
  std::vector<std::string> metrics = NamesOf(experiment.metrics());
  for (const BuiltinMetric& metric : kBuiltinMetrics) {
    metrics.emplace_back(metric.name);
  }
  const Path arms = path.Field("arms");
  const bool one_arm = experiment.arms_size() == 1 && !report->Broken(arms) &&
                       !report->Broken(ItemPaths(arms, experiment.arms())[0]);
  for (int i = 0; i < experiment.guardrails_size(); ++i) {
    const v1::GuardrailConfig& rule = experiment.guardrails(i);
    const Path item = rules.Item(static_cast<size_t>(i), rule.name());
    if (report->Broken(item)) continue;
    if (!report->Broken(path.Field("metrics"))) {
      CheckReference(item.Field("metric"), rule.metric(), "metrics", metrics,
                     report);
    }
    CheckRule(item, experiment, one_arm, rule, report);
    for (int j = 0; j < i && !rule.name().empty(); ++j) {
      if (experiment.guardrails(j).name() != rule.name()) continue;
      report->FailValue(item.Field("name"), rule.name(),
                        "is given twice, expected a name of its own");
      break;
    }
  }
  CheckProbation(path.Field("probation"), experiment.probation(), report);
}

void ValidateWebhooks(const v1::RouterConfig& config, Report* report) {
  const Path webhooks = Path().Field("webhooks");
  for (int i = 0; i < config.webhooks_size(); ++i) {
    const Path item = webhooks.Item(static_cast<size_t>(i), "");
    const v1::WebhookConfig& webhook = config.webhooks(i);
    for (int k = 0; k < webhook.events_size(); ++k) {
      CheckReference(item.Field("events").Item(static_cast<size_t>(k), ""),
                     webhook.events(k), "events", EventNames(), report);
    }
    const std::string& url = webhook.url();
    // What is empty was reported by the reader.
    if (url.empty() || ParseWebhookUrl(url).has_value()) continue;
    report->FailValue(
        item.Field("url"), WithoutUser(url),
        "is no address to POST to, expected http://host[:port]/path or "
        "https://host[:port]/path, without a user");
  }
}

}  // namespace bandit::config

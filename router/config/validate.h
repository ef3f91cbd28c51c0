// SPDX-License-Identifier: Apache-2.0
// What the schema cannot say of a config: names that must exist or be unique,
// values that depend on one another, and the policies' own parameters.
#ifndef BANDIT_ROUTER_CONFIG_VALIDATE_H_
#define BANDIT_ROUTER_CONFIG_VALIDATE_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "bandit/v1/config.pb.h"
#include "router/config/report.h"

namespace bandit::config {

struct BuiltinMetric {
  std::string_view name;
  std::string_view meaning;
};
// Measured by the router itself; they cannot be declared.
inline constexpr BuiltinMetric kBuiltinMetrics[] = {
    {"latency_ms",
     "milliseconds from the request's headers to the end of the "
     "response"},
    {"ttfb_ms", "milliseconds to the first byte of the response"},
    {"error", "1 if the request failed, else 0"},
    {"response_bytes", "size of the response"},
    {"cost", "the arm's `cost`, and its `cost_per_byte` for the response"},
};

// A missing feature is a bit of a 64-bit mask.
inline constexpr size_t kMaxFeatures = 64;
// Columns of the feature vector, the intercept included: they travel in every
// token.
inline constexpr size_t kMaxColumns = 256;
// Reports keep sums for each value of each segment.
inline constexpr size_t kMaxSegments = 4;
inline constexpr size_t kMaxSegmentValues = 16;

// Checks `config` as the reader left it, and fills in the defaults that depend
// on other fields: `control`, `last_resort`, `reward.metric`, `salt` and the
// policies' parameters. What the reader found broken is not reported again.
void ValidateConfig(v1::RouterConfig* config, Report* report);

// Who the holder of `control_token` is called.
inline constexpr std::string_view kOperator = "operator";
// In the place of secrets, where a config is shown.
inline constexpr std::string_view kHidden = "***";

// The parts: one experiment, its policy, its metrics and its context, at
// `path`; TLS, and the token of the control services.
void ValidateExperiment(const Path& path,
                        const std::vector<std::string>& backends,
                        v1::ExperimentConfig* experiment, Report* report);
// `control` is filled in; fills in `last_resort`.
void ValidateTraffic(const Path& path, const std::vector<std::string>& backends,
                     v1::ExperimentConfig* experiment, Report* report);
// Whether the experiment names TensorFlow Serving as what it matches.
bool TakesPredict(const v1::ExperimentConfig& experiment);
void ValidateModel(const Path& path, const v1::ModelOverrideConfig& model,
                   bool predict, Report* report);
// Tracing and the access log.
void ValidateObserve(const v1::RouterConfig& config, Report* report);
void ValidateMatch(const Path& path, const v1::MatchConfig& match,
                   Report* report);
void ValidatePolicy(const Path& path, size_t arms, bool has_context,
                    v1::PolicyConfig* policy, Report* report);
void ValidateMetric(const Path& path, const v1::MetricConfig& metric,
                    Report* report);
// `guardrails` and `probation` of an experiment whose `control` is filled in.
void ValidateGuardrails(const Path& path,
                        const v1::ExperimentConfig& experiment, Report* report);
void ValidateWebhooks(const v1::RouterConfig& config, Report* report);
// Segments and the covariate.
void ValidateSegments(const Path& path, const v1::ExperimentConfig& experiment,
                      Report* report);
// `reward.weights`; `metrics` are all names that may have one.
void ValidateWeights(const Path& path, const v1::ExperimentConfig& experiment,
                     const std::vector<std::string>& metrics, Report* report);
void ValidateListenTls(const Path& path, const v1::ListenTlsConfig& tls,
                       Report* report);
void ValidateBackendTls(const Path& path, const v1::BackendConfig& backend,
                        Report* report);
// The files that TLS needs: read, and whether they fit together.
void ValidateTlsFiles(const v1::RouterConfig& config, Report* report);
void ValidateControlToken(const std::string& token, Report* report);
// `identities` and `approval`.
void ValidateIdentities(const v1::RouterConfig& config, Report* report);
// `layers`, `holdout`, and what the experiments take of them.
void ValidateLayers(const v1::RouterConfig& config, Report* report);
// Arms' metadata and backends, forced arms, and what an overlay cannot have.
void ValidateOverlay(const Path& path, const v1::ExperimentConfig& experiment,
                     Report* report);
// The stages of a ramp.
void ValidateRamp(const Path& path, const v1::ExperimentConfig& experiment,
                  Report* report);
void ValidateContext(const Path& path, const v1::ContextConfig& context,
                     Report* report);

}  // namespace bandit::config

#endif  // BANDIT_ROUTER_CONFIG_VALIDATE_H_

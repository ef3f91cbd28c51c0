// SPDX-License-Identifier: Apache-2.0
// Every mistake that the reader and the checks know, with the complete line
// that it gives. Each case changes one thing of a config that loads.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <string_view>

#include "fmt/format.h"
#include "router/config/load.h"

namespace bandit::config {
namespace {

constexpr std::string_view kGood = R"(backends:
  a: {address: "127.0.0.1:1"}
  b: {address: "127.0.0.1:2"}
default_backend: a
experiments:
  - name: ranker
    match: {service: inference.GRPCInferenceService}
    unit: {metadata: x-user-id}
    arms:
      - {name: control, backend: a, weight: 90}
      - {name: candidate, backend: b, weight: 10}
    control: control
    policy: {name: thompson, floor: 0.02}
    reward: {metric: click}
    metrics:
      - {name: click, kind: binary, window: 30m, default: 0}
      - {name: score, kind: continuous, min: 0, max: 1}
    context:
      features:
        - {name: device, metadata: x-device, categories: [ios, web]}
        - {name: tokens, metadata: x-tokens, transform: log1p}
)";

std::optional<std::string> Variable(std::string_view name) {
  if (name == "PORT") return "80x";
  if (name == "BINARY") return "\xff";
  if (name == "EMPTY") return "";
  return std::nullopt;
}

struct Case {
  std::string_view from;  // What of kGood is changed...
  std::string_view to;    // ...to this.
  // The message: "line: what is wrong, what was expected".
  std::string_view error;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.to; }

class BadConfigTest : public testing::TestWithParam<Case> {};

TEST_P(BadConfigTest, GivesOneLine) {
  const Case& c = GetParam();
  std::string text(kGood);
  const size_t at = text.find(c.from);
  ASSERT_NE(at, std::string::npos) << c.from;
  text.replace(at, c.from.size(), c.to);
  const auto loaded = LoadText(text, "f.yaml", Variable);
  ASSERT_FALSE(loaded.ok()) << text;
  EXPECT_EQ(std::string(loaded.status().message()),
            fmt::format("f.yaml:{}", c.error))
      << text;
}

constexpr Case kFields[] = {
    {"default_backend", "default_backed",
     "4: top level has no field \"default_backed\", expected listen, control, "
     "admin, workers, state, token_key, backends, default_backend, "
     "experiments, limits, learner, join or 13 more, did you mean "
     "\"default_backend\"?"},
    {"default_backend", "defaultBackend",
     "4: top level has no field \"defaultBackend\", expected listen, control, "
     "admin, workers, state, token_key, backends, default_backend, "
     "experiments, limits, learner, join or 13 more, did you mean "
     "\"default_backend\"?"},
    {"default_backend", "zzz",
     "4: top level has no field \"zzz\", expected listen, control, admin, "
     "workers, state, token_key, backends, default_backend, experiments, "
     "limits, learner, join or 13 more"},
    {"policy: {name: thompson, floor: 0.02}", "polcy: {name: thompson}",
     "13: experiments.ranker has no field \"polcy\", expected name, match, "
     "unit, arms, control, policy, reward, metrics, context, "
     "salt, timeout, retry or 12 more, did you "
     "mean \"policy\"?"},
    {"    control: control", "    unknown: 1",
     "12: experiments.ranker has no field \"unknown\", expected name, match, "
     "unit, arms, control, policy, reward, metrics, context, "
     "salt, timeout, retry or 12 more"},
    {"backend: a, weight: 90", "backend: a, wieght: 90",
     "10: experiments.ranker.arms.control has no field \"wieght\", expected "
     "name, backend, weight, model, cost, cost_per_byte or metadata, did you "
     "mean "
     "\"weight\"?"},
    {"default_backend: a", "default_backend: a\ndefault_backend: b",
     "5: default_backend is a duplicate of line 4, expected one"},
    {"name: control, backend: a", "name: control, name: control, backend: a",
     "10: experiments.ranker.arms.control.name is a duplicate of line 10, "
     "expected one"},
    {"  b: {address: \"127.0.0.1:2\"}",
     "  b: {address: \"127.0.0.1:2\"}\n  a: {address: \"127.0.0.1:2\"}",
     "4: backends.a is a duplicate of line 2, expected one"},
    {"backend: a, weight: 90", "weight: 90",
     "10: experiments.ranker.arms.control.backend is missing, expected text"},
    {"    policy: {name: thompson, floor: 0.02}\n", "",
     "6: experiments.ranker.policy is missing, expected a map with name, floor "
     "or params"},
    {"match: {service: inference.GRPCInferenceService}", "salt: x",
     "6: experiments.ranker.match is missing, expected a map with service, "
     "method, authority, metadata, model or where, or a list of them"},
    {"unit: {metadata: x-user-id}", "unit: {}",
     "8: experiments.ranker.unit.metadata is missing, expected text"},
    {"kind: binary, ", "",
     "16: experiments.ranker.metrics.click.kind is missing, expected binary or "
     "continuous"},
    {kGood, "listen: \"127.0.0.1:80\"\n",
     "1: backends is missing, expected a map"},
};
INSTANTIATE_TEST_SUITE_P(Fields, BadConfigTest, testing::ValuesIn(kFields));

constexpr Case kObserve[] = {
    {"default_backend: a", "tracing: {}",
     "4: tracing.collector is missing, expected text"},
    {"default_backend: a", "tracing: {collector: otel}",
     "4: tracing.collector = \"otel\" has no port, expected host:port, "
     "[IPv6]:port, dns:///name:port or unix:/path"},
    {"default_backend: a", "tracing: {collector: \"otel:4317\", sample: 2}",
     "4: tracing.sample = 2 is outside [0, 1]"},
    {"default_backend: a", "access_log: {path: access.log}",
     "4: access_log.path = \"access.log\" is no absolute path of a file, "
     "expected stdout, stderr or /path/of/access.log"},
    {"default_backend: a", "access_log: {path: /var/log/}",
     "4: access_log.path = \"/var/log/\" is no absolute path of a file, "
     "expected stdout, stderr or /path/of/access.log"},
    {"default_backend: a", "access_log: {sample: -1}",
     "4: access_log.sample = -1 is outside [0, 1]"},
};
INSTANTIATE_TEST_SUITE_P(Observe, BadConfigTest, testing::ValuesIn(kObserve));

constexpr Case kValues[] = {
    {"default_backend: a", "workers: many",
     "4: workers = \"many\" is not a whole number, expected a whole number in "
     "[0, 1024]"},
    {"default_backend: a", "workers: 1.5",
     "4: workers = 1.5 is not a whole number, expected a whole number in [0, "
     "1024]"},
    {"default_backend: a", "workers: -1",
     "4: workers = -1 is outside [0, 1024]"},
    {"default_backend: a", "workers: 1025",
     "4: workers = 1025 is outside [0, 1024]"},
    {"default_backend: a", "workers: 99999999999999999999999",
     "4: workers = 99999999999999999999999 is outside [0, 1024]"},
    {"default_backend: a", "workers: [1]",
     "4: workers is a list, expected a whole number in [0, 1024]"},
    {"default_backend: a", "workers: {a: 1}",
     "4: workers is a map, expected a whole number in [0, 1024]"},
    {"default_backend: a",
     "workers:", "4: workers is empty, expected a whole number in [0, 1024]"},
    {"default_backend: a", "workers: ~",
     "4: workers is empty, expected a whole number in [0, 1024]"},
    {"default_backend: a", "workers: \"\"",
     "4: workers is empty, expected a whole number in [0, 1024]"},
    {"default_backend: a", "workers: ${PORT}",
     "4: workers = \"${PORT}\" (from the environment) is not a whole number, "
     "expected a whole number in [0, 1024]"},
    {"default_backend: a", "workers: ${UNSET}",
     "4: workers is empty since UNSET is not set, expected a whole number in "
     "[0, 1024]"},
    {"default_backend: a", "workers: ${UNSET:-few}",
     "4: workers = \"few\" is not a whole number, expected a whole number in "
     "[0, 1024]"},
    {"default_backend: a", "workers: ${EMPTY:-}",
     "4: workers is empty, expected a whole number in [0, 1024]"},
    {"default_backend: a", "default_backend: ${A",
     "4: default_backend has a ${ that is not closed, expected ${NAME}, or $${ "
     "for the characters ${"},
    {"default_backend: a", "default_backend: ${1A}",
     "4: default_backend has a ${...} that names no environment variable, "
     "expected ${NAME} or ${NAME:-default}"},
    {"default_backend: a", "default_backend: ${A:-${B}}",
     "4: default_backend has a ${...} inside the default of another, expected "
     "plain text"},
    {"default_backend: a", "default_backend: ${BINARY}",
     "4: default_backend reads the environment variable BINARY, which is not "
     "UTF-8, expected UTF-8 text"},
    {"default_backend: a", "default_backend: [a]",
     "4: default_backend is a list, expected text"},
    {"default_backend: a", "token_key: [s3cret]",
     "4: token_key is a list, expected text"},
    {"default_backend: a", "token_key: {s3cret: 1}",
     "4: token_key is a map, expected text"},
    {"default_backend: a", "limits: {stream_window: 64}",
     "4: limits.stream_window = 64 is outside [16KiB, 1GiB]"},
    {"default_backend: a", "limits: {stream_window: 64XB}",
     "4: limits.stream_window = 64XB is not a size, expected a size such as "
     "64MiB in [16KiB, 1GiB]"},
    {"default_backend: a", "limits: {stream_window: 2GiB}",
     "4: limits.stream_window = 2GiB is outside [16KiB, 1GiB]"},
    {"default_backend: a", "limits: {stream_window: 16384.5}",
     "4: limits.stream_window = 16384.5 is not a size, expected a size such as "
     "64MiB in [16KiB, 1GiB]"},
    {"default_backend: a", "limits: {max_concurrent_streams: 0}",
     "4: limits.max_concurrent_streams = 0 is outside [1, 1000000]"},
    {"default_backend: a", "limits: []",
     "4: limits is a list, expected a map with stream_window, "
     "max_concurrent_streams, max_header_list, max_held_message, "
     "max_connections, max_requests, queue, queue_timeout, max_buffered, "
     "header_timeout, idle_timeout, stall_timeout or 2 more"},
    {"default_backend: a", "learner: {tick: 100}",
     "4: learner.tick = 100 is not a duration, expected a duration such as 30m "
     "or 250ms in [1ms, 1m]"},
    {"default_backend: a", "learner: {tick: 0s}",
     "4: learner.tick = 0s is outside [1ms, 1m]"},
    {"default_backend: a", "learner: {tick: 1h}",
     "4: learner.tick = 1h is outside [1ms, 1m]"},
    {"default_backend: a", "learner: {tick: fast}",
     "4: learner.tick = \"fast\" is not a duration, expected a duration such "
     "as 30m or 250ms in [1ms, 1m]"},
    {"default_backend: a", "learner: {tick: -5ms}",
     "4: learner.tick = -5ms is not a duration, expected a duration such as "
     "30m or 250ms in [1ms, 1m]"},
    {"default_backend: a", "learner: {tick: 5 ms}",
     "4: learner.tick = \"5 ms\" is not a duration, expected a duration such "
     "as 30m or 250ms in [1ms, 1m]"},
    {"default_backend: a", "learner: slow",
     "4: learner is a single value, expected a map with tick, queue or "
     "silence_warning"},
    {"default_backend: a", "join:",
     "4: join is empty, expected a map with metadata, window or "
     "memory"},
    {"default_backend: a", "join: true",
     "4: join is a single value, expected a map with metadata, window or "
     "memory"},
    {"default_backend: a", "join: {metadata: ''}",
     "4: join.metadata is empty, expected text"},
    {"default_backend: a", "join: {window: 0s}",
     "4: join.window = 0s is outside [1s, 720h]"},
    {"default_backend: a", "join: {window: 31d}",
     "4: join.window = 31d is outside [1s, 720h]"},
    {"default_backend: a", "join: {memory: 64KiB}",
     "4: join.memory = 64KiB is outside [1MiB, 64GiB]"},
    {"default_backend: a", "join: {memory: lots}",
     "4: join.memory = \"lots\" is not a size, expected a size such as 64MiB "
     "in [1MiB, 64GiB]"},
    {"default_backend: a", "join: {header: x-request-id}",
     "4: join has no field \"header\", expected metadata, window or memory"},
    {"window: 30m", "window: 0.5s",
     "16: experiments.ranker.metrics.click.window = 0.5s is outside [1s, "
     "720h]"},
    {"window: 30m", "window: 40d",
     "16: experiments.ranker.metrics.click.window = 40d is outside [1s, 720h]"},
    {"kind: binary", "kind: binry",
     "16: experiments.ranker.metrics.click.kind = \"binry\" is unknown, "
     "expected binary or continuous, did you mean \"binary\"?"},
    {"kind: binary", "kind: BINARY",
     "16: experiments.ranker.metrics.click.kind = \"BINARY\" is unknown, "
     "expected binary or continuous, did you mean \"binary\"?"},
    {"kind: binary", "kind: unspecified",
     "16: experiments.ranker.metrics.click.kind = \"unspecified\" is unknown, "
     "expected binary or continuous"},
    {"kind: binary", "kind: [binary]",
     "16: experiments.ranker.metrics.click.kind is a list, expected binary or "
     "continuous"},
    {"transform: log1p", "transform: log",
     "21: experiments.ranker.context.features.tokens.transform = \"log\" is "
     "unknown, expected log1p or sqrt"},
    {"floor: 0.02", "floor: -0.1",
     "13: experiments.ranker.policy.floor = -0.1 is outside [0, 1]"},
    {"floor: 0.02", "floor: 1.5",
     "13: experiments.ranker.policy.floor = 1.5 is outside [0, 1]"},
    {"floor: 0.02", "floor: .nan",
     "13: experiments.ranker.policy.floor = .nan is not a finite number, "
     "expected a number in [0, 1]"},
    {"floor: 0.02", "floor: inf",
     "13: experiments.ranker.policy.floor = \"inf\" is not a finite number, "
     "expected a number in [0, 1]"},
    {"floor: 0.02", "floor: 1e999",
     "13: experiments.ranker.policy.floor = 1e999 is not a finite number, "
     "expected a number in [0, 1]"},
    {"floor: 0.02", "floor: a lot",
     "13: experiments.ranker.policy.floor = \"a lot\" is not a finite number, "
     "expected a number in [0, 1]"},
    {"weight: 90", "weight: -1",
     "10: experiments.ranker.arms.control.weight = -1 is outside [0, 1e9]"},
    {"weight: 90", "weight: 1e10",
     "10: experiments.ranker.arms.control.weight = 1e10 is outside [0, 1e9]"},
    {"weight: 90", "weight: heavy",
     "10: experiments.ranker.arms.control.weight = \"heavy\" is not a finite "
     "number, expected a number in [0, 1e9]"},
    {"weight: 90", "weight: [90]",
     "10: experiments.ranker.arms.control.weight is a list, expected a number "
     "in [0, 1e9]"},
    {"  a: {address: \"127.0.0.1:1\"}", "  a: \"127.0.0.1:1\"",
     "2: backends.a is a single value, expected a map with address, "
     "connect_timeout, tls, load_balancing, resolve_every, max_connections, "
     "max_requests, idle_timeout, keepalive, keepalive_timeout, health_check, "
     "outliers or 1 more"},
    {"  a: {address: \"127.0.0.1:1\"}", "  a:",
     "2: backends.a is empty, expected a map with address, connect_timeout, "
     "tls, load_balancing, resolve_every, max_connections, max_requests, "
     "idle_timeout, keepalive, keepalive_timeout, health_check, outliers or 1 "
     "more"},
    {"\"127.0.0.1:1\"", "{host: x}",
     "2: backends.a.address is a map, expected text, or a list of them"},
    {"  a: {", "  a: {outliers: {base_ejection: 10m}, ",
     "2: backends.a.outliers.base_ejection = 10m is above max_ejection = 5m, "
     "expected base_ejection <= max_ejection"},
    {"  a: {", "  a: {outliers: {base_ejection: 1s, max_ejection: 20ms}, ",
     "2: backends.a.outliers.max_ejection = 20ms is below base_ejection = 1s, "
     "expected base_ejection <= max_ejection"},
    {"  a: {", "  a: {outliers: {max_share: 1.5}, ",
     "2: backends.a.outliers.max_share = 1.5 is outside [0, 1]"},
    {"  a: {", "  a: {max_connections: 0, ",
     "2: backends.a.max_connections = 0 is outside [1, 1000]"},
    {"  a: {", "  a: {load_balancing: random, ",
     "2: backends.a.load_balancing = \"random\" is unknown, expected "
     "least_request or round_robin"},
    {"\"127.0.0.1:1\"", "[]",
     "2: backends.a.address is empty, expected at least one"},
    {"\"127.0.0.1:1\"", "[\"127.0.0.1:1\", [x]]",
     "2: backends.a.address[1] is a list, expected text"},
    {"\"127.0.0.1:1\"}", "\"127.0.0.1:1\", connect_timeout: 11m}",
     "2: backends.a.connect_timeout = 11m is outside [1ms, 10m]"},
    {"{service: inference.GRPCInferenceService}", "all",
     "7: experiments.ranker.match is a single value, expected a map with "
     "service, method, authority, metadata, model or where, or a list of them"},
    {"{service: inference.GRPCInferenceService}", "[]",
     "7: experiments.ranker.match is empty, expected at least one"},
    {"{service: inference.GRPCInferenceService}", "[{service: x}, y]",
     "7: experiments.ranker.match[1] is a single value, expected a map with "
     "service, method, authority, metadata, model or where"},
    {"{service: inference.GRPCInferenceService}", "{metadata: x}",
     "7: experiments.ranker.match.metadata is a single value, expected a map"},
    {"{service: inference.GRPCInferenceService}", "{metadata: {x: [y]}}",
     "7: experiments.ranker.match.metadata.x is a list, expected text"},
    {"{service: inference.GRPCInferenceService}",
     "{service: s, model: ${MODEL}}",
     "7: a ${NAME} between brackets or braces, expected quotes around it"},
    {"{name: thompson, floor: 0.02}", "thompson",
     "13: experiments.ranker.policy is a single value, expected a map with "
     "name, floor or params"},
    {"{name: thompson, floor: 0.02}", "[thompson]",
     "13: experiments.ranker.policy is a list, expected a map with name, floor "
     "or params"},
    {"categories: [ios, web]", "categories: ios",
     "20: experiments.ranker.context.features.device.categories is a single "
     "value, expected a list"},
    {"categories: [ios, web]", "categories: [ios, ~]",
     "20: experiments.ranker.context.features.device.categories[1] is empty, "
     "expected text"},
    {"default: 0", "default: none",
     "16: experiments.ranker.metrics.click.default = \"none\" is not a finite "
     "number, expected a number"},
};
INSTANTIATE_TEST_SUITE_P(Values, BadConfigTest, testing::ValuesIn(kValues));

// `guardrails: [...]` goes where `control: control` stands, on line 12.
constexpr Case kGuardrails[] = {
    {"    control: control", "    guardrails: [{metric: error}]",
     "12: experiments.ranker.guardrails[0] has no bound, expected one of "
     "below, above, below_control_times, below_control_plus, "
     "above_control_minus"},
    {"    control: control",
     "    guardrails: [{metric: error, below: 0.1, above: 0.2}]",
     "12: experiments.ranker.guardrails[0].above is given beside below, "
     "expected one of them"},
    {"    control: control", "    guardrails: [{metric: errors, below: 0.1}]",
     "12: experiments.ranker.guardrails[0].metric = \"errors\" is not one of "
     "the metrics, expected click, score, latency_ms, ttfb_ms, error, "
     "response_bytes or "
     "cost, did you mean \"error\"?"},
    {"    control: control", "    guardrails: [{below: 0.1}]",
     "12: experiments.ranker.guardrails[0].metric is missing, expected text"},
    {"    control: control", "    guardrails: [{metric: error, below: 2}]",
     "12: experiments.ranker.guardrails[0].below = 2 is no rate, expected a "
     "number in [0, 1)"},
    {"    control: control",
     "    guardrails: [{metric: click, above_control_minus: 1}]",
     "12: experiments.ranker.guardrails[0].above_control_minus = 1 is no rate, "
     "expected a number in [0, 1)"},
    {"    control: control",
     "    guardrails: [{metric: latency_ms, below_control_times: 1.5}]",
     "12: experiments.ranker.guardrails[0].below_control_times compares "
     "quantiles, expected quantile beside it"},
    {"    control: control",
     "    guardrails: [{metric: score, quantile: 0.5, below: 1}]",
     "12: experiments.ranker.guardrails[0].quantile is not kept of this "
     "metric, expected latency_ms, ttfb_ms or response_bytes"},
    {"    control: control",
     "    guardrails: [{metric: response_bytes, quantile: 0.5, "
     "below_control_times: 2}]",
     "12: experiments.ranker.guardrails[0].quantile is not kept of this "
     "metric, expected latency_ms or ttfb_ms"},
    {"    control: control",
     "    guardrails: [{metric: latency_ms, quantile: 0.5, above: 2}]",
     "12: experiments.ranker.guardrails[0].quantile is given beside above, "
     "expected below or below_control_times"},
    {"    control: control",
     "    guardrails: [{metric: error, below: 0.1, window: 5m}]",
     "12: experiments.ranker.guardrails[0].window is for the test threshold "
     "only, expected `test: threshold` beside it"},
    {"    control: control",
     "    guardrails: [{metric: error, below: 0.1, test: threshold, "
     "alpha: 0.05}]",
     "12: experiments.ranker.guardrails[0].alpha is for the test anytime "
     "only, expected `test: anytime` beside it"},
    {"    control: control",
     "    guardrails: [{metric: error, below: 0.1, action: kill}]",
     "12: experiments.ranker.guardrails[0].action = \"kill\" is unknown, "
     "expected alert, hold, eject or roll_back"},
    {"    control: control",
     "    guardrails: [{metric: error, below: 0.1, name: e}, "
     "{metric: error, below: 0.2, name: e}]",
     "12: experiments.ranker.guardrails.e.name = \"e\" is given twice, "
     "expected a name of its own"},
    {"    control: control", "    probation: {base_ejection: 2h}",
     "12: experiments.ranker.probation.base_ejection = 2h does not fit, "
     "expected base_ejection <= max_ejection"},
    {"    control: control", "    probation: {share: 0}",
     "12: experiments.ranker.probation.share = 0 is outside [0.0001, 1]"},
    {"default_backend: a",
     "default_backend: a\nwebhooks: [{url: \"ftp://x/\"}]",
     "5: webhooks[0].url = \"ftp://x/\" is no address to POST to, expected "
     "http://host[:port]/path or https://host[:port]/path, without a user"},
    {"default_backend: a",
     "default_backend: a\nwebhooks: [{url: \"http://me:pw@x/\"}]",
     "5: webhooks[0].url = \"http://***@x/\" is no address to POST to, "
     "expected http://host[:port]/path or https://host[:port]/path, without a "
     "user"},
    {"default_backend: a",
     "default_backend: a\nwebhooks: [{url: \"http://x\", events: [ejectd]}]",
     "5: webhooks[0].events[0] = \"ejectd\" is not one of the events, expected "
     "alert, hold, release, ejected, probation, active, rolled_back or "
     "reinstated, did you mean \"ejected\"?"},
    {"default_backend: a", "default_backend: a\nwebhooks: [{}]",
     "5: webhooks[0].url is missing, expected text"},
};
INSTANTIATE_TEST_SUITE_P(Guardrails, BadConfigTest,
                         testing::ValuesIn(kGuardrails));

constexpr Case kAddresses[] = {
    {"\"127.0.0.1:1\"", "\"127.0.0.1\"",
     "2: backends.a.address = 127.0.0.1 has no port, expected host:port, "
     "[IPv6]:port, dns:///name:port or unix:/path"},
    {"\"127.0.0.1:1\"", "\"models\"",
     "2: backends.a.address = \"models\" has no port, expected host:port, "
     "[IPv6]:port, dns:///name:port or unix:/path"},
    {"\"127.0.0.1:1\"", "\"models:\"",
     "2: backends.a.address = \"models:\" has a port that is not a number, "
     "expected host:port, [IPv6]:port, dns:///name:port or unix:/path"},
    {"\"127.0.0.1:1\"", "\":80\"",
     "2: backends.a.address = \":80\" has no host, expected host:port, "
     "[IPv6]:port, dns:///name:port or unix:/path"},
    {"\"127.0.0.1:1\"", "\"models:http\"",
     "2: backends.a.address = \"models:http\" has a port that is not a number, "
     "expected host:port, [IPv6]:port, dns:///name:port or unix:/path"},
    {"\"127.0.0.1:1\"", "\"models:0\"",
     "2: backends.a.address = \"models:0\" has port 0, expected a port in [1, "
     "65535]"},
    {"\"127.0.0.1:1\"", "\"models:65536\"",
     "2: backends.a.address = \"models:65536\" has port 65536, expected a port "
     "in [1, 65535]"},
    {"\"127.0.0.1:1\"", "\"models:-1\"",
     "2: backends.a.address = \"models:-1\" has a port that is not a number, "
     "expected host:port, [IPv6]:port, dns:///name:port or unix:/path"},
    {"\"127.0.0.1:1\"", "\"999.0.0.1:80\"",
     "2: backends.a.address = \"999.0.0.1:80\" has no host name or IP address "
     "before the port, expected host:port, [IPv6]:port, dns:///name:port or "
     "unix:/path"},
    {"\"127.0.0.1:1\"", "\"mod els:80\"",
     "2: backends.a.address = \"mod els:80\" has no host name or IP address "
     "before the port, expected host:port, [IPv6]:port, dns:///name:port or "
     "unix:/path"},
    {"\"127.0.0.1:1\"", "\"-:\"",
     "2: backends.a.address = \"-:\" has a port that is not a number, expected "
     "host:port, [IPv6]:port, dns:///name:port or unix:/path"},
    {"\"127.0.0.1:1\"", "\"a..b:80\"",
     "2: backends.a.address = \"a..b:80\" has no host name or IP address "
     "before the port, expected host:port, [IPv6]:port, dns:///name:port or "
     "unix:/path"},
    {"\"127.0.0.1:1\"", "\"::1:80\"",
     "2: backends.a.address = \"::1:80\" is an IPv6 address without [], "
     "expected host:port, [IPv6]:port, dns:///name:port or unix:/path"},
    {"\"127.0.0.1:1\"", "\"[::1]\"",
     "2: backends.a.address = \"[::1]\" has no port, expected host:port, "
     "[IPv6]:port, dns:///name:port or unix:/path"},
    {"\"127.0.0.1:1\"", "\"[::1]:\"",
     "2: backends.a.address = \"[::1]:\" has a port that is not a number, "
     "expected host:port, [IPv6]:port, dns:///name:port or unix:/path"},
    {"\"127.0.0.1:1\"", "\"[nope]:80\"",
     "2: backends.a.address = \"[nope]:80\" has no IPv6 address in [], "
     "expected host:port, [IPv6]:port, dns:///name:port or unix:/path"},
    {"\"127.0.0.1:1\"", "\"a:b:80\"",
     "2: backends.a.address = \"a:b:80\" has more than one colon, expected "
     "host:port, [IPv6]:port, dns:///name:port or unix:/path"},
    {"\"127.0.0.1:1\"", "\"http://models:80\"",
     "2: backends.a.address = \"http://models:80\" has an unknown scheme, "
     "expected host:port, [IPv6]:port, dns:///name:port or unix:/path"},
    {"\"127.0.0.1:1\"", "\"dns://8.8.8.8/models:80\"",
     "2: backends.a.address = \"dns://8.8.8.8/models:80\" has an unknown "
     "scheme, expected host:port, [IPv6]:port, dns:///name:port or unix:/path"},
    {"\"127.0.0.1:1\"", "\"dns:///models\"",
     "2: backends.a.address = \"dns:///models\" has no port, expected "
     "host:port, [IPv6]:port, dns:///name:port or unix:/path"},
    {"\"127.0.0.1:1\"", "\"dns:///:80\"",
     "2: backends.a.address = \"dns:///:80\" has no host, expected host:port, "
     "[IPv6]:port, dns:///name:port or unix:/path"},
    {"\"127.0.0.1:1\"", "\"unix:models.sock\"",
     "2: backends.a.address = \"unix:models.sock\" has no absolute path, "
     "expected host:port, [IPv6]:port, dns:///name:port or unix:/path"},
    {"\"127.0.0.1:1\"", "\"unix:\"",
     "2: backends.a.address = \"unix:\" has no absolute path, expected "
     "host:port, [IPv6]:port, dns:///name:port or unix:/path"},
    {"\"127.0.0.1:1\"",
     "\"unix:/"
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"",
     "2: backends.a.address = "
     "\"unix:/"
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "x\"... has a path of 109 bytes, expected at most 107"},
    {"\"127.0.0.1:1\"", "[\"127.0.0.1:1\", \"127.0.0.1:1\"]",
     "2: backends.a.address[1] = \"127.0.0.1:1\" is given twice, expected each "
     "address once"},
    {"\"127.0.0.1:1\"", "[\"127.0.0.1:1\", \"models\"]",
     "2: backends.a.address[1] = \"models\" has no port, expected host:port, "
     "[IPv6]:port, dns:///name:port or unix:/path"},
    {"default_backend: a", "listen: 8080",
     "4: listen = 8080 has no port, expected host:port or [IPv6]:port, such as "
     "0.0.0.0:8080"},
    {"default_backend: a", "listen: \"localhost\"",
     "4: listen = \"localhost\" has no port, expected host:port or "
     "[IPv6]:port, such as 0.0.0.0:8080"},
    {"default_backend: a", "listen: \"0.0.0.0:70000\"",
     "4: listen = \"0.0.0.0:70000\" has port 70000, expected a port in [0, "
     "65535]"},
    {"default_backend: a", "listen: \"unix:/x\"",
     "4: listen = \"unix:/x\" cannot be listened on, expected host:port or "
     "[IPv6]:port, such as 0.0.0.0:8080"},
    {"default_backend: a", "listen: \"http://0.0.0.0:80\"",
     "4: listen = \"http://0.0.0.0:80\" cannot be listened on, expected "
     "host:port or [IPv6]:port, such as 0.0.0.0:8080"},
    {"default_backend: a", "control: \"[::1]\"",
     "4: control = \"[::1]\" has no port, expected host:port or [IPv6]:port, "
     "such as 0.0.0.0:8080"},
    {"default_backend: a", "admin: \":9090\"",
     "4: admin = \":9090\" has no host, expected host:port or [IPv6]:port, "
     "such as 0.0.0.0:8080"},
    {"default_backend: a", "control: \"0.0.0.0:8080\"",
     "4: control = \"0.0.0.0:8080\" has the port of `listen`, expected "
     "another"},
    {"default_backend: a", "listen: \"127.0.0.1:8081\"",
     "4: listen = \"127.0.0.1:8081\" has the port of `control`, expected "
     "another"},
    {"default_backend: a", "admin: \"127.0.0.1:8080\"",
     "4: admin = \"127.0.0.1:8080\" has the port of `listen`, expected "
     "another"},
    {"default_backend: a", "listen: \"${PORT}:1:2\"",
     "4: listen = \"${PORT}:1:2\" (from the environment) has more than one "
     "colon, expected host:port or [IPv6]:port, such as 0.0.0.0:8080"},
    {"default_backend: a", "state: redis://user:s3cret@host:6379/0",
     "4: state = \"redis://***@host:6379/0\" needs Redis, which is not in this "
     "build, expected sqlite:///path or memory:"},
    {"default_backend: a", "state: rediss://host",
     "4: state = \"rediss://host\" needs Redis, which is not in this build, "
     "expected sqlite:///path or memory:"},
    {"default_backend: a", "state: postgres://user:s3cret@host/db",
     "4: state = \"postgres://***@host/db\" is not a state address, expected "
     "sqlite:///path or memory:"},
    {"default_backend: a", "state: /var/lib/state.db",
     "4: state = \"/var/lib/state.db\" is not a state address, expected "
     "sqlite:///path or memory:"},
    {"default_backend: a", "state: sqlite://state.db",
     "4: state = \"sqlite://state.db\" has no absolute path of a file, "
     "expected sqlite:///path/of/state.db"},
    {"default_backend: a", "state: \"sqlite:///\"",
     "4: state = \"sqlite:///\" has no absolute path of a file, expected "
     "sqlite:///path/of/state.db"},
    {"default_backend: a", "state: \"memory\"",
     "4: state = \"memory\" is not a state address, expected sqlite:///path or "
     "memory:"},
};
INSTANTIATE_TEST_SUITE_P(Addresses, BadConfigTest,
                         testing::ValuesIn(kAddresses));

constexpr Case kNames[] = {
    {"default_backend: a", "default_backend: c",
     "4: default_backend = \"c\" is not one of the backends, expected a or b"},
    {"default_backend: a", "default_backend: A1",
     "4: default_backend = \"A1\" is not one of the backends, expected a or b, "
     "did you mean \"a\"?"},
    {"  b: {address", "  \"b c\": {address",
     "3: backends[\"b c\"] is not a name, expected 1 to 128 letters, digits, "
     "_, - and .\nf.yaml:11: experiments.ranker.arms.candidate.backend = \"b\" "
     "is not one of the backends, expected a"},
    {"name: control, backend: a", "name: control, backend: rankr-a",
     "10: experiments.ranker.arms.control.backend = \"rankr-a\" is not one of "
     "the backends, expected a or b"},
    {"  b: {address", "  \"b\\nc\": {address",
     "3: backends[\"b\\nc\"] is not a name, expected 1 to 128 letters, digits, "
     "_, - and .\nf.yaml:11: experiments.ranker.arms.candidate.backend = \"b\" "
     "is not one of the backends, expected a"},
    {"- {name: control, backend: a, weight: 90}\n      - {name: candidate, "
     "backend: b, weight: 10}",
     "- [x]\n      - {name: control, backend: c, weight: 10}",
     "10: experiments.ranker.arms[0] is a list, expected a map with name, "
     "backend, weight, model, cost, cost_per_byte or metadata\nf.yaml:11: "
     "experiments.ranker.arms.control.backend = \"c\" is not one of the "
     "backends, expected a or b"},
    {"\"127.0.0.1:1\"", "[[x], \"127.0.0.1\"]",
     "2: backends.a.address[0] is a list, expected text\nf.yaml:2: "
     "backends.a.address[1] = 127.0.0.1 has no port, expected host:port, "
     "[IPv6]:port, dns:///name:port or unix:/path"},
    {"name: control, backend: a", "name: control, backend: B",
     "10: experiments.ranker.arms.control.backend = \"B\" is not one of the "
     "backends, expected a or b, did you mean \"b\"?"},
    {"name: candidate", "name: control",
     "11: experiments.ranker.arms.control.name = \"control\" is a duplicate of "
     "line 10, expected another name"},
    {"name: candidate", "name: \"a b\"",
     "11: experiments.ranker.arms[1].name = \"a b\" is not a name, expected 1 "
     "to 128 letters, digits, _, - and ."},
    {"name: candidate", "name: \"\"",
     "11: experiments.ranker.arms[1].name is empty, expected text"},
    {"name: candidate",
     "name: "
     "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"",
     "11: experiments.ranker.arms[1].name = "
     "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "xxxxxxxxx\"... is not a name, expected 1 to 128 letters, digits, _, - "
     "and ."},
    {"    control: control", "    control: contrl",
     "12: experiments.ranker.control = \"contrl\" is not one of the arms, "
     "expected control or candidate, did you mean \"control\"?"},
    {"    control: control", "    control: a",
     "12: experiments.ranker.control = \"a\" is not one of the arms, expected "
     "control or candidate"},
    {"{metric: click}", "{metric: clik}",
     "14: experiments.ranker.reward.metric = \"clik\" is not one of the "
     "metrics, expected click, score, latency_ms, ttfb_ms, error, "
     "response_bytes or cost, did you mean \"click\"?"},
    {"{metric: click}", "{metric: latency}",
     "14: experiments.ranker.reward.metric = \"latency\" is not one of the "
     "metrics, expected click, score, latency_ms, ttfb_ms, error, "
     "response_bytes or cost, did you mean \"latency_ms\"?"},
    {"name: score", "name: click",
     "17: experiments.ranker.metrics.click.name = \"click\" is a duplicate of "
     "line 16, expected another name"},
    {"name: score", "name: latency_ms",
     "17: experiments.ranker.metrics.latency_ms.name = \"latency_ms\" is "
     "measured by the router itself, expected another name, or `reward.metric` "
     "alone"},
    {"name: tokens", "name: device",
     "21: experiments.ranker.context.features.device.name = \"device\" is a "
     "duplicate of line 20, expected another name"},
    {"  - name: ranker", "  - name: \"rank/er\"",
     "6: experiments[0].name = \"rank/er\" is not a name, expected 1 to 128 "
     "letters, digits, _, - and ."},
    {"context:\n",
     "context:\n      # one more\n      features: []\n    salt: x\n    x:\n",
     "20: experiments.ranker.context.features is empty, expected at least "
     "one\nf.yaml:22: experiments.ranker has no field \"x\", expected name, "
     "match, unit, arms, control, policy, reward, metrics, context, "
     "salt, timeout, retry or 12 more"},
};
INSTANTIATE_TEST_SUITE_P(Names, BadConfigTest, testing::ValuesIn(kNames));

constexpr Case kExperiments[] = {
    {"arms:\n      - {name: control, backend: a, weight: 90}\n      - {name: "
     "candidate, backend: b, weight: 10}\n    control: control",
     "arms: []", "9: experiments.ranker.arms is empty, expected at least one"},
    {"arms:\n      - {name: control, backend: a, weight: 90}\n      - {name: "
     "candidate, backend: b, weight: 10}\n    control: control",
     "arms: control",
     "9: experiments.ranker.arms is a single value, expected a list, each a "
     "map with name, backend, weight, model, cost, cost_per_byte or metadata"},
    {"weight: 90}\n      - {name: candidate, backend: b, weight: 10}",
     "weight: 0}\n      - {name: candidate, backend: b, weight: 0}",
     "9: experiments.ranker.arms have weights that sum to 0, expected a "
     "positive sum"},
    {"weight: 90", "weight: 90, model: {}",
     "10: experiments.ranker.arms.control.model is empty, expected name or "
     "version"},
    {"weight: 90", "weight: 90, model: {nam: x}",
     "10: experiments.ranker.arms.control.model has no field \"nam\", expected "
     "name or version, did you mean \"name\"?"},
    {"inference.GRPCInferenceService}\n    unit: {metadata: x-user-id}\n    "
     "arms:\n      - {name: control, backend: a, weight: 90",
     "tensorflow.serving.PredictionService}\n    unit: {metadata: x-user-id}\n "
     "   arms:\n      - {name: control, backend: a, weight: 90, model: "
     "{version: v2}",
     "10: experiments.ranker.arms.control.model.version = \"v2\" is not a "
     "64-bit whole number, which tensorflow.serving.PredictionService needs, "
     "expected one"},
    {"{service: inference.GRPCInferenceService}", "{servce: x}",
     "7: experiments.ranker.match has no field \"servce\", expected service, "
     "method, authority, metadata, model or where, did you mean \"service\"?"},
    {"    reward: {metric: click}\n    metrics:\n      - {name: click, kind: "
     "binary, window: 30m, default: 0}\n      - {name: score, kind: "
     "continuous, min: 0, max: 1}\n",
     "",
     "6: experiments.ranker has nothing to learn from, expected metrics, or a "
     "reward that is a built-in metric"},
    {"floor: 0.02}", "floor: 0.02, params: {prior_alhpa: 2}}",
     "13: experiments.ranker.policy.params.prior_alhpa is not a parameter of "
     "thompson, expected prior_alpha, prior_beta, prior_mean or "
     "prior_variance, did you mean \"prior_alpha\"?"},
    {"{service: inference.GRPCInferenceService}", "{}",
     "7: experiments.ranker.match matches nothing in particular, expected "
     "service, method, authority, metadata, model or where"},
    {"{service: inference.GRPCInferenceService}", "[{service: x}, {}]",
     "7: experiments.ranker.match[1] matches nothing in particular, expected "
     "service, method, authority, metadata, model or where"},
    {"{service: inference.GRPCInferenceService}", "{method: ModelInfer}",
     "7: experiments.ranker.match.method = \"ModelInfer\" is given without its "
     "service, expected `service` too"},
    {"{service: inference.GRPCInferenceService}",
     "{service: inference.GRPCInferenceService/ModelInfer}",
     "7: experiments.ranker.match.service = "
     "\"inference.GRPCInferenceService/ModelInfer\" holds a /, expected "
     "`service` and `method` apart"},
    {"{service: inference.GRPCInferenceService}",
     "{service: /inference.GRPCInferenceService}",
     "7: experiments.ranker.match.service = "
     "\"/inference.GRPCInferenceService\" holds a /, expected `service` and "
     "`method` apart"},
    {"{service: inference.GRPCInferenceService}", "{service: \"a b\"}",
     "7: experiments.ranker.match.service = \"a b\" cannot stand in a "
     "request's path, expected visible ASCII without spaces"},
    {"{service: inference.GRPCInferenceService}", "{service: s, method: a/b}",
     "7: experiments.ranker.match.method = \"a/b\" holds a /, expected "
     "`service` and `method` apart"},
    {"{service: inference.GRPCInferenceService}",
     "{authority: \"models:8001\"}",
     "7: experiments.ranker.match.authority = \"models:8001\" has a port, "
     "expected the host alone"},
    {"{service: inference.GRPCInferenceService}", "{authority: \"[::1]:8001\"}",
     "7: experiments.ranker.match.authority = \"[::1]:8001\" has a port, "
     "expected the host alone"},
    {"{service: inference.GRPCInferenceService}", "{authority: \"a/b\"}",
     "7: experiments.ranker.match.authority = \"a/b\" is not an authority, "
     "expected a host such as models.example.com"},
    {"{service: inference.GRPCInferenceService}", "{metadata: {X-Tenant: a}}",
     "7: experiments.ranker.match.metadata.X-Tenant has upper-case letters, "
     "expected a metadata key in lower case, did you mean \"x-tenant\"?"},
    {"{service: inference.GRPCInferenceService}",
     "{metadata: {\"x tenant\": a}}",
     "7: experiments.ranker.match.metadata[\"x tenant\"] is not a metadata "
     "key, expected lower-case letters, digits, _, - and ."},
    {"{service: inference.GRPCInferenceService}", "{metadata: {\":path\": /a}}",
     "7: experiments.ranker.match.metadata[\":path\"] is a pseudo-header, "
     "expected a metadata key"},
    {"{service: inference.GRPCInferenceService}", "{metadata: {\"\": a}}",
     "7: experiments.ranker.match.metadata[\"\"] is not a metadata key, "
     "expected lower-case letters, digits, _, - and ."},
    {"{service: inference.GRPCInferenceService}",
     "{metadata: {x-tenant: \"a\\nb\"}}",
     "7: experiments.ranker.match.metadata.x-tenant = \"a\\nb\" cannot be the "
     "value of a header, expected visible ASCII"},
    {"{service: inference.GRPCInferenceService}", "{metadata: {}}",
     "7: experiments.ranker.match matches nothing in particular, expected "
     "service, method, authority, metadata, model or where"},
    {"default_backend: a", "join: {metadata: X-Request-Id}",
     "4: join.metadata = \"X-Request-Id\" has upper-case letters, expected a "
     "metadata key in lower case, did you mean \"x-request-id\"?"},
    {"default_backend: a", "join: {metadata: ':path'}",
     "4: join.metadata = \":path\" is a pseudo-header, expected a metadata "
     "key"},
    {"metadata: x-user-id", "metadata: X-User-Id",
     "8: experiments.ranker.unit.metadata = \"X-User-Id\" has upper-case "
     "letters, expected a metadata key in lower case, did you mean "
     "\"x-user-id\"?"},
    {"metadata: x-user-id", "metadata: \"x user\"",
     "8: experiments.ranker.unit.metadata = \"x user\" is not a metadata key, "
     "expected lower-case letters, digits, _, - and ."},
    {"metadata: x-device", "metadata: X-Device",
     "20: experiments.ranker.context.features.device.metadata = \"X-Device\" "
     "has upper-case letters, expected a metadata key in lower case, did you "
     "mean \"x-device\"?"},
    {"name: thompson", "name: thomson",
     "13: experiments.ranker.policy.name = \"thomson\" is not one of the "
     "policies, expected fixed_split, epsilon_greedy, thompson, ucb1 or "
     "linucb, did you mean \"thompson\"?"},
    {"name: thompson", "name: bandit",
     "13: experiments.ranker.policy.name = \"bandit\" is not one of the "
     "policies, expected fixed_split, epsilon_greedy, thompson, ucb1 or "
     "linucb"},
    {"floor: 0.02", "floor: 0.6",
     "13: experiments.ranker.policy.floor = 0.6 is outside [0, 0.5], expected "
     "floor * arms <= 1 with 2 arms"},
    {"{name: thompson, floor: 0.02}",
     "{name: epsilon_greedy, params: {epsilon: 1.5}}",
     "13: experiments.ranker.policy.params.epsilon = 1.5 is outside [0, 1]"},
    {"{name: thompson, floor: 0.02}",
     "{name: epsilon_greedy, params: {epsilom: 0.1}}",
     "13: experiments.ranker.policy.params.epsilom is not a parameter of "
     "epsilon_greedy, expected epsilon, did you mean \"epsilon\"?"},
    {"{name: thompson, floor: 0.02}",
     "{name: fixed_split, params: {epsilon: 0.1}}",
     "13: experiments.ranker.policy.params.epsilon is not a parameter of "
     "fixed_split, expected none"},
    {"{name: thompson, floor: 0.02}",
     "{name: thompson, params: {prior_alpha: x}}",
     "13: experiments.ranker.policy.params.prior_alpha = \"x\" is not a finite "
     "number, expected a number"},
    {"{name: thompson, floor: 0.02}",
     "{name: thompson, params: {prior_alpha: -1}}",
     "13: experiments.ranker.policy.params.prior_alpha = -1 is outside [0.001, "
     "1000000]"},
    {"{name: thompson, floor: 0.02}", "{name: thompson, params: [1]}",
     "13: experiments.ranker.policy.params is a list, expected a map"},
    {"default: 0", "default: 0.5",
     "16: experiments.ranker.metrics.click.default = 0.5 is no value of a "
     "binary metric, expected 0 or 1"},
    {"default: 0", "min: 0, max: 1",
     "16: experiments.ranker.metrics.click.min is given for a binary metric, "
     "expected it for a continuous one only\nf.yaml:16: "
     "experiments.ranker.metrics.click.max is given for a binary metric, "
     "expected it for a continuous one only"},
    {"min: 0, max: 1", "min: 2, max: 1",
     "17: experiments.ranker.metrics.score.min = 2 is above max = 1, expected "
     "min <= max"},
    {"min: 0, max: 1", "min: 0, max: 1, default: 2",
     "17: experiments.ranker.metrics.score.default = 2 is outside [0, 1], the "
     "metric's min and max"},
    {"min: 0, max: 1", "min: 0, default: -1",
     "17: experiments.ranker.metrics.score.default = -1 is outside [0, inf], "
     "the metric's min and max"},
    {"reward: {metric: click}", "reward: {}",
     "14: experiments.ranker.reward is empty, expected metric or weights"},
    {"reward: {metric: click}", "reward: {metric: click, weights: {score: 1}}",
     "14: experiments.ranker.reward.weights is given beside metric, expected "
     "one of the two"},
    {"reward: {metric: click}", "reward: {weights: {clik: 1}}",
     "14: experiments.ranker.reward.weights.clik is not one of metrics, "
     "expected click, score, latency_ms, ttfb_ms, error, response_bytes or "
     "cost, did you mean \"click\"?"},
    {"reward: {metric: click}", "reward: {weights: {click: 0}}",
     "14: experiments.ranker.reward.weights.click = 0 is no weight, expected a "
     "number in [-1e12, 1e12] that is not 0"},
    {"{name: thompson, floor: 0.02}\n    reward: {metric: click}",
     "{name: linucb}\n    reward: {weights: {click: 1}}",
     "13: experiments.ranker.policy.name = \"linucb\" learns from one metric's "
     "values and their contexts together, expected `reward.metric`, or a "
     "policy "
     "without context for `reward.weights`"},
    {"kind: binary, window: 30m",
     "kind: binary, lower_is_better: true, window: 30m",
     "14: experiments.ranker.reward.metric = \"click\" is better when it is "
     "lower, expected `reward: {weights: {click: -1}}`"},
    {"    context:",
     "    segments:\n      - {name: d, metadata: X-D, values: [a]}\n"
     "    context:",
     "19: experiments.ranker.segments.d.metadata = \"X-D\" has upper-case "
     "letters, expected a metadata key in lower case, did you mean \"x-d\"?"},
    {"    context:",
     "    segments:\n      - {name: d, metadata: x-d, values: [a, a]}\n"
     "    context:",
     "19: experiments.ranker.segments.d.values[1] = \"a\" is given twice, "
     "expected each value once"},
    {"    context:",
     "    covariate: {metadata: x-p, missing: 1e300}\n    context:",
     "18: experiments.ranker.covariate.missing = 1e+300 is too large, expected "
     "a value that a float holds"},
    {"weight: 90}", "weight: 90, cost: -1}",
     "10: experiments.ranker.arms.control.cost = -1 is outside [0, 1e12]"},
    {"categories: [ios, web]", "categories: [ios, ios]",
     "20: experiments.ranker.context.features.device.categories[1] = \"ios\" "
     "is given twice, expected each category once"},
    {"categories: [ios, web]", "categories: [ios, \"w\\x01b\"]",
     "20: experiments.ranker.context.features.device.categories[1] = "
     "\"w\\x01b\" cannot be the value of a header, expected visible ASCII"},
    {"categories: [ios, web]", "categories: [ios, web], scale: 2",
     "20: experiments.ranker.context.features.device.scale is given beside "
     "categories, expected it for a number only"},
    {"categories: [ios, web]", "categories: [ios, web], min: 2",
     "20: experiments.ranker.context.features.device.min is given beside "
     "categories, expected it for a number only"},
    {"transform: log1p", "scale: 0",
     "21: experiments.ranker.context.features.tokens.scale = 0 would divide by "
     "zero, expected another number"},
    {"transform: log1p", "min: 3, max: 2",
     "21: experiments.ranker.context.features.tokens.min = 3 is above max = 2, "
     "expected min <= max"},
    {"transform: log1p", "transform: log1p, missing: -1",
     "21: experiments.ranker.context.features.tokens.missing = -1 is below 0, "
     "where the transform is not defined, expected at least 0"},
    {"transform: log1p", "missing: 1e300",
     "21: experiments.ranker.context.features.tokens.missing = 1e+300 is too "
     "large once shifted and scaled, expected a value that a float holds"},
};
INSTANTIATE_TEST_SUITE_P(Experiments, BadConfigTest,
                         testing::ValuesIn(kExperiments));

constexpr Case kTls[] = {
    {"default_backend: a", "default_backend: a\ntls: {key: k}",
     "5: tls.certificate is missing, expected text"},
    {"default_backend: a",
     "default_backend: a\ntls: {certificate: c, key: k, min_version: 1.1}",
     "5: tls.min_version = 1.1 is no TLS version, expected 1.2 or 1.3"},
    {"default_backend: a",
     "default_backend: a\ntls: {certificate: c, key: k, client_names: [x.y]}",
     "5: tls.client_names has no client_ca, expected one that signs them"},
    {"default_backend: a",
     "default_backend: a\ncontrol_tls: {certificate: c, key: k, client_ca: a, "
     "client_names: [x.y, 'a*.y']}",
     "5: control_tls.client_names[1] = \"a*.y\" is no name of a certificate, "
     "expected a DNS name, *.name or a URI"},
    {"default_backend: a", "default_backend: a\ncontrol_token: \"a b\"",
     "5: control_token cannot be sent in metadata, expected visible ASCII "
     "without spaces"},
    {"\"127.0.0.1:1\"", "\"127.0.0.1:1\", tls: {certificate: c}",
     "2: backends.a.tls has a certificate without key, expected both"},
    {"\"127.0.0.1:1\"", "\"127.0.0.1:1\", tls: {key: k}",
     "2: backends.a.tls has a key without certificate, expected both"},
    {"\"127.0.0.1:1\"", "\"127.0.0.1:1\", tls: {server_name: \"*.x.y\"}",
     "2: backends.a.tls.server_name = \"*.x.y\" is no host, expected a DNS "
     "name or an IP address"},
    {"\"127.0.0.1:1\"", "\"127.0.0.1:1\", tls: {server_names: [a/b]}",
     "2: backends.a.tls.server_names[0] = \"a/b\" is no name of a "
     "certificate, expected a DNS name, *.name or a URI"},
    {"\"127.0.0.1:1\"", "unix:/s, tls: {}",
     "2: backends.a.tls has no server_name, expected one for a Unix socket, "
     "which has no host to be verified"},
};

INSTANTIATE_TEST_SUITE_P(Tls, BadConfigTest, testing::ValuesIn(kTls));
constexpr Case kTraffic[] = {
    {"control: control", "retry: {attempts: 1, fallback: true}",
     "12: experiments.ranker.retry.fallback needs a second try, expected "
     "attempts of at least 2, not 1"},
    {"control: control", "retry: {attempts: 11}",
     "12: experiments.ranker.retry.attempts = 11 is outside [1, 10]"},
    {"\n      - {name: candidate, backend: b, weight: 10}\n    control: "
     "control",
     "\n    retry: {fallback: true}",
     "11: experiments.ranker.retry.fallback needs another arm, expected two"},
    {"control: control", "last_resort: contrl",
     "12: experiments.ranker.last_resort = \"contrl\" is not one of the arms, "
     "expected control or candidate, did you mean \"control\"?"},
    {"control: control", "mirror: {backend: c}",
     "12: experiments.ranker.mirror.backend = \"c\" is not one of the "
     "backends, "
     "expected a or b"},
    {"control: control", "mirror: {backend: a, share: 1.5}",
     "12: experiments.ranker.mirror.share = 1.5 is outside [0, 1]"},
    {"control: control", "mirror: {backend: a, model: {}}",
     "12: experiments.ranker.mirror.model is empty, expected name or version"},
};
INSTANTIATE_TEST_SUITE_P(Traffic, BadConfigTest, testing::ValuesIn(kTraffic));

constexpr Case kLife[] = {
    {"control: control", "ramp: [{share: 0.5, lasts: 1h}, {share: 0.5}]",
     "12: experiments.ranker.ramp[1].share = 0.5 is not above the stage "
     "before, "
     "expected more than 0.5"},
    {"control: control", "ramp: [{share: 0.5}, {share: 1}]",
     "12: experiments.ranker.ramp[0] has no lasts, expected one in all but the "
     "last"},
    {"control: control", "ramp: [{share: 1.5}]",
     "12: experiments.ranker.ramp[0].share = 1.5 is outside [0, 1]"},
    {"control: control", "ramp: [{lasts: 1h}]",
     "12: experiments.ranker.ramp[0].share is missing, expected a number in "
     "[0, 1]"},
    {"control: control", "ramp: [{share: 0.1, lasts: 10ms}]",
     "12: experiments.ranker.ramp[0].lasts = 10ms is outside [1s, 8760h]"},
    {"default_backend: a", "default_backend: a\napproval: {start: true}",
     "5: approval needs one who asks and one who approves, expected two "
     "identities, or one and control_token, not 0"},
    {"default_backend: a",
     "approval: {ramp: true}\nidentities: [{name: ann, token: x}]",
     "4: approval needs one who asks and one who approves, expected two "
     "identities, or one and control_token, not 1"},
    {"default_backend: a", "identities: [{name: operator, token: x}]",
     "4: identities.operator.name = \"operator\" is a name that the router "
     "uses "
     "itself, expected another"},
    {"default_backend: a",
     "identities: [{name: ann, token: x}, {name: bob, token: x}]",
     "4: identities.bob.token is another's token too, expected one of its own"},
    {"default_backend: a",
     "control_token: x\nidentities: [{name: ann, token: x}]",
     "5: identities.ann.token is another's token too, expected one of its own"},
    {"default_backend: a", "identities: [{name: ann, token: \"x y\"}]",
     "4: identities.ann.token cannot be sent in metadata, expected visible "
     "ASCII without spaces"},
    {"default_backend: a", "identities: [{name: ann}]",
     "4: identities.ann.token is missing, expected text"},
};
INSTANTIATE_TEST_SUITE_P(Life, BadConfigTest, testing::ValuesIn(kLife));

constexpr Case kLayers[] = {
    {"default_backend: a\n", "layers: [{name: l}, {name: l}]\n",
     "4: layers.l.name = \"l\" is a duplicate of line 4, expected another "
     "name"},
    {"control: control", "layer: {name: l}",
     "12: experiments.ranker.layer.name = \"l\" is not one of the layers, "
     "expected none"},
    {"default_backend: a\n", "layers: [{name: l, unit: {metadata: X}}]\n",
     "4: layers.l.unit.metadata = \"X\" has upper-case letters, expected a "
     "metadata key in lower case, did you mean \"x\"?"},
    {"default_backend: a\n", "layers: [{name: l, holdout: 2}]\n",
     "4: layers.l.holdout = 2 is outside [0, 1]"},
    {"default_backend: a\n", "holdout: {salt: x}\n",
     "4: holdout.share is missing, expected a number in [0, 1]"},
    {"control: control", "forced_arms: {metadata: X}",
     "12: experiments.ranker.forced_arms.metadata = \"X\" has upper-case "
     "letters, expected a metadata key in lower case, did you mean \"x\"?"},
    {"weight: 90", "metadata: {grpc-timeout: 1S}",
     "10: experiments.ranker.arms.control.metadata.grpc-timeout is gRPC's or "
     "the router's own, expected another key"},
    {"weight: 90", "metadata: {x-a: \"\\n\"}",
     "10: experiments.ranker.arms.control.metadata.x-a = \"\\n\" cannot be the "
     "value of a header, expected visible ASCII"},
    {"match: {service: inference.GRPCInferenceService}",
     "match: {where: [{metadata: x-a}]}",
     "7: experiments.ranker.match.where[0] asks for nothing, expected in, "
     "not_in, prefix, min, max or present"},
    {"match: {service: inference.GRPCInferenceService}",
     "match: {where: [{metadata: x-a, min: 2, max: 1}]}",
     "7: experiments.ranker.match.where[0].min = 2 is above max = 1, expected "
     "min <= max"},
    {"match: {service: inference.GRPCInferenceService}",
     "match: {where: [{in: [x]}]}",
     "7: experiments.ranker.match.where[0].metadata is missing, expected text"},
};
INSTANTIATE_TEST_SUITE_P(Layers, BadConfigTest, testing::ValuesIn(kLayers));

// Two experiments of a layer, and an overlay.
TEST(LayersTest, SharesThatOverlapAndOverlaysWithABackendAreNamed) {
  constexpr std::string_view kTwo = R"(backends: {a: {address: "127.0.0.1:1"}}
layers: [{name: l}]
experiments:
  - name: one
    match: {service: s}
    arms: [{name: x, backend: a}]
    policy: {name: fixed_split}
    layer: {name: l, to: FIRST}
  - name: two
    match: {service: s}
    arms: [{name: x, backend: a}]
    policy: {name: fixed_split}
    layer: {name: l, from: 0.5}
  - name: three
    match: {service: s}
    overlay: true
    arms: [{name: x, THIRD}]
    policy: {name: fixed_split}
    MORE
)";
  const auto error = [&](std::string_view first, std::string_view third,
                         std::string_view more) {
    std::string text(kTwo);
    text.replace(text.find("FIRST"), 5, first);
    text.replace(text.find("THIRD"), 5, third);
    text.replace(text.find("MORE"), 4, more);
    const auto loaded = LoadText(text, "f", Variable);
    return loaded.ok() ? "" : std::string(loaded.status().message());
  };
  EXPECT_EQ(error("0.5", "metadata: {x-a: b}", ""), "");
  EXPECT_EQ(error("0.6", "metadata: {x-a: b}", ""),
            "f:13: experiments.two.layer takes units of one, which has [0, "
            "0.6), expected shares that do not overlap");
  EXPECT_EQ(error("0", "metadata: {x-a: b}", ""),
            "f:8: experiments.one.layer takes no units, expected from = 0 "
            "below to = 0");
  EXPECT_EQ(error("0.5", "backend: a", ""),
            "f:17: experiments.three.arms.x.backend is given in an overlay, "
            "expected metadata or model: another experiment chooses the "
            "backend");
  EXPECT_EQ(error("0.5", "metadata: {x-a: b}", "timeout: 1s"),
            "f:19: experiments.three.timeout is given in an overlay, expected "
            "it in the experiment that chooses the backend");
}

constexpr Case kYaml[] = {
    {"default_backend: a", "default_backend: \"a",
     "4: a quoted text that starts here is not closed, expected its closing "
     "quote"},
    {"default_backend: a", "default_backend: 'a",
     "4: a quoted text that starts here is not closed, expected its closing "
     "quote"},
    {"default_backend: a", "default_backend: a: b",
     "4: a `: ` where no key can stand, expected quotes around the text, or "
     "another indentation"},
    {"default_backend: a", "default_backend",
     "4: a key without its `: `, expected `key: value`"},
    {"default_backend: a", "\tdefault_backend: a",
     "4: a tab in the indentation, expected spaces"},
    {"    unit:", "\t unit:", "8: a tab in the indentation, expected spaces"},
    {"    unit:", "   unit:",
     "8: the indentation fits no list above, expected a `- value` in line with "
     "its neighbours"},
    {"    unit:", "     unit:",
     "8: the indentation fits no map above, expected a `key: value` in line "
     "with its neighbours"},
    {"{metric: click}", "{metric: click",
     "15: a { is not closed here, expected , or }"},
    {"[ios, web]}", "[ios, web}",
     "20: a ] or } that closes nothing, expected none"},
    {"[ios, web]}", "[ios, web]]}",
     "20: a ] or } that closes nothing, expected none"},
    {"\"127.0.0.1:1\"}", "${A}}",
     "2: a ${NAME} between brackets or braces, expected quotes around it"},
    {"default_backend: a", "default_backend: *a",
     "4: a YAML alias (*name) without its anchor, expected &name before it"},
    {"default_backend: a", "default_backend: &a [*a]",
     "4: a YAML alias stands inside its own anchor, expected it elsewhere"},
    {"default_backend: a", "default_backend: !secret a",
     "4: a YAML tag (!name) is not supported, expected none"},
    {"default_backend: a", "default_backend: @a",
     "4: a value begins with @, % or `, expected quotes around it"},
    {"default_backend: a", "default_backend: \"\\q\"",
     "4: an unknown escape in a quoted text, expected \\\\ for a backslash"},
    {"default_backend: a", "---\ndefault_backend: a",
     "4: a second YAML document starts here, expected one document"},
    {"default_backend: a", "? [a]\n: b",
     "4: a key that is not text, expected `key: value`"},
    {"default_backend: a", "? {a: b}\n: b",
     "4: a key that is not text, expected `key: value`"},
    {"default_backend: a", "default_backend: \007",
     "4: control character 0x07, expected text"},
    {"default_backend: a", "default_backend: a\r# b",
     "4: a carriage return without a line feed, expected lines that end in a "
     "line feed"},
    {"default_backend: a", "- a",
     "4: the indentation fits no map above, expected a `key: value` in line "
     "with its neighbours"},
};
INSTANTIATE_TEST_SUITE_P(Yaml, BadConfigTest, testing::ValuesIn(kYaml));

TEST(BadConfigTest, TheConfigThatCasesChangeIsGood) {
  const auto loaded = LoadText(kGood, "f.yaml", Variable);
  EXPECT_TRUE(loaded.ok()) << loaded.status();
}

}  // namespace
}  // namespace bandit::config

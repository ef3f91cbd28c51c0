// SPDX-License-Identifier: Apache-2.0
#include "router/dashboard/api.h"

#include <array>
#include <charconv>
#include <string_view>
#include <utility>

#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "fmt/format.h"
#include "google/protobuf/util/json_util.h"
#include "grpcpp/client_context.h"
#include "router/observe/code_name.h"
#include "router/text/utf8.h"

namespace bandit::dashboard {
namespace {

using control::HttpAnswer;
using control::HttpRequest;
using Method = grpc::Status (v1::Admin::StubInterface::*)(grpc::ClientContext*,
                                                          const v1::ActRequest&,
                                                          v1::LifecycleStatus*);

constexpr char kJson[] = "application/json";
// A thread of the admin port waits at most so long for the learner.
constexpr absl::Duration kPatience = absl::Seconds(3);
// An act is a write to disk, and a person waits for it.
constexpr absl::Duration kActPatience = absl::Seconds(10);
// Threads that may wait for the learner at once; the port has four for pages.
constexpr int kMostWaiting = 2;
constexpr uint32_t kAuditEntries = 200;
// With the name before it, what Reinstate takes.
constexpr size_t kMostWhy = 800;

struct NamedAct {
  std::string_view name;
  Method method;
};
constexpr std::array<NamedAct, 8> kActs = {{
    {"start", &v1::Admin::StubInterface::Start},
    {"pause", &v1::Admin::StubInterface::Pause},
    {"resume", &v1::Admin::StubInterface::Resume},
    {"promote", &v1::Admin::StubInterface::Promote},
    {"roll_back", &v1::Admin::StubInterface::RollBack},
    {"conclude", &v1::Admin::StubInterface::Conclude},
    {"reset", &v1::Admin::StubInterface::Reset},
    {"approve", &v1::Admin::StubInterface::Approve},
}};
constexpr std::string_view kReinstate = "reinstate";

std::string ToJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  options.preserve_proto_field_names = true;
  std::string json;
  // Only an Any of unknown type and a time out of range have no JSON.
  static_cast<void>(
      google::protobuf::util::MessageToJsonString(message, &json, options));
  return json;
}

int HttpStatusOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kOk:
      return 200;
    case absl::StatusCode::kInvalidArgument:
      return 400;
    case absl::StatusCode::kUnauthenticated:
      return 401;
    case absl::StatusCode::kPermissionDenied:
      return 403;
    case absl::StatusCode::kNotFound:
      return 404;
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kFailedPrecondition:
      return 409;
    case absl::StatusCode::kResourceExhausted:
      return 429;
    case absl::StatusCode::kUnavailable:
      return 503;
    case absl::StatusCode::kDeadlineExceeded:
      return 504;
    default:
      return 500;
  }
}

HttpAnswer Fail(const absl::Status& status) {
  v1::Failure failure;
  failure.set_code(observe::CodeName(static_cast<int>(status.code())));
  failure.set_message(std::string(status.message()));
  HttpAnswer answer{.status = HttpStatusOf(status.code()),
                    .type = kJson,
                    .body = ToJson(failure)};
  if (answer.status == 401) {
    answer.headers.emplace_back("WWW-Authenticate", "Bearer");
  }
  return answer;
}

HttpAnswer Ok(const google::protobuf::Message& message) {
  return {.status = 200, .type = kJson, .body = ToJson(message)};
}

absl::Status ToAbsl(const grpc::Status& status) {
  if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
    return absl::DeadlineExceededError(
        "the learner does not answer; is the disk of the state stuck?");
  }
  return {static_cast<absl::StatusCode>(status.error_code()),
          status.error_message()};
}

std::string Asked(const HttpRequest& request, const std::string& key) {
  const auto it = request.query.find(key);
  // Protobuf takes no other text.
  return it == request.query.end() ? "" : text::ValidUtf8(it->second);
}

void Within(absl::Duration patience, grpc::ClientContext* context) {
  context->set_deadline(absl::ToChronoTime(absl::Now() + patience));
}

}  // namespace

Api::Api(Options options)
    : options_(std::move(options)), cache_(kMostWaiting, options_.now) {}

HttpAnswer Api::Answer(const HttpRequest& request) {
  if (request.path == kActPath) {
    if (request.method == "POST") return Act(request);
    HttpAnswer answer =
        Fail(absl::InvalidArgumentError("an act is sent by POST"));
    answer.status = 405;
    answer.headers.emplace_back("Allow", "POST");
    return answer;
  }
  if (request.path == "/api/v1/status") return Status(request);
  if (request.path == "/api/v1/report") return Report(request);
  if (request.path == "/api/v1/history") return GetHistory(request);
  if (request.path == "/api/v1/events") return GetEvents();
  if (request.path == "/api/v1/session") return Session(request);
  return Fail(absl::NotFoundError(fmt::format(
      "nothing is at {}; docs/dashboard.md has the paths", request.path)));
}

HttpAnswer Api::Status(const HttpRequest& request) {
  v1::GetStatusRequest asked;
  asked.set_experiment(Asked(request, "experiment"));
  return cache_.Get("status " + asked.experiment(), absl::Milliseconds(200),
                    [&] {
                      grpc::ClientContext context;
                      Within(kPatience, &context);
                      v1::RouterStatus status;
                      const grpc::Status done =
                          options_.admin->GetStatus(&context, asked, &status);
                      return done.ok() ? Ok(status) : Fail(ToAbsl(done));
                    });
}

HttpAnswer Api::Report(const HttpRequest& request) {
  v1::GetReportRequest asked;
  asked.set_experiment(Asked(request, "experiment"));
  if (asked.experiment().empty()) {
    return Fail(absl::InvalidArgumentError(
        "which experiment? Ask for /api/v1/report?experiment=NAME"));
  }
  return cache_.Get("report " + asked.experiment(), absl::Seconds(1), [&] {
    grpc::ClientContext context;
    Within(kPatience, &context);
    v1::Report report;
    const grpc::Status done =
        options_.admin->GetReport(&context, asked, &report);
    return done.ok() ? Ok(report) : Fail(ToAbsl(done));
  });
}

HttpAnswer Api::GetHistory(const HttpRequest& request) {
  absl::Time since = absl::InfinitePast();
  if (const std::string text = Asked(request, "since"); !text.empty()) {
    std::string why;
    if (!absl::ParseTime(absl::RFC3339_full, text, &since, &why)) {
      return Fail(absl::InvalidArgumentError(fmt::format(
          "since = {} is no time; expected RFC 3339, as the samples have it",
          text)));
    }
  }
  const auto history =
      options_.history->Get(Asked(request, "experiment"), since);
  return history.ok() ? Ok(*history) : Fail(history.status());
}

HttpAnswer Api::GetEvents() {
  return cache_.Get("events", absl::Milliseconds(500), [&] {
    const uint64_t audited = options_.audited();
    v1::AuditLog audit;
    bool known = false;
    {
      absl::MutexLock lock(&mutex_);
      known = has_audit_ && audited_ == audited;
      audit = audit_;
    }
    // Reading the log verifies all of it, on the learner's thread: only when it
    // has grown.
    if (!known) {
      v1::ListAuditRequest asked;
      asked.set_last(kAuditEntries);
      grpc::ClientContext context;
      Within(kPatience, &context);
      v1::AuditLog read;
      const grpc::Status done =
          options_.admin->ListAudit(&context, asked, &read);
      if (done.ok()) {
        audit = read;
        absl::MutexLock lock(&mutex_);
        audit_ = std::move(read);
        has_audit_ = true;
        audited_ = audited;
      } else {
        audit.set_broken(fmt::format("the audit log cannot be read now: {}",
                                     std::string(ToAbsl(done).message())));
      }
    }
    return Ok(Together(options_.events->Get(), audit));
  });
}

HttpAnswer Api::Session(const HttpRequest& request) const {
  v1::Session session;
  session.set_version(options_.version);
  session.set_acts(options_.access->knows_callers());
  session.set_who(
      std::string(options_.access->Identify(request.authorization)));
  return Ok(session);
}

HttpAnswer Api::Act(const HttpRequest& request) {
  if (!options_.access->knows_callers()) {
    return Fail(absl::PermissionDeniedError(
        "acts are off here: set control_token or identities in the config and "
        "start the router again, or use banditctl at the control port"));
  }
  if (options_.access->Identify(request.authorization).empty()) {
    return Fail(absl::UnauthenticatedError(
        "an act needs `authorization: Bearer TOKEN` with the router's "
        "control_token or an identity's token"));
  }
  if (!absl::StartsWith(request.content_type, kJson)) {
    HttpAnswer answer = Fail(absl::InvalidArgumentError(
        "an act is sent as content-type: application/json"));
    answer.status = 415;
    return answer;
  }
  v1::ActOrder order;
  const auto parsed =
      google::protobuf::util::JsonStringToMessage(request.body, &order);
  if (!parsed.ok()) {
    return Fail(absl::InvalidArgumentError(
        fmt::format("the body is no act: {}; expected {{\"act\": \"pause\", "
                    "\"experiment\": \"NAME\", \"why\": \"...\"}}",
                    std::string(parsed.message()))));
  }
  const auto done = Do(order, request.authorization);
  return done.ok() ? Ok(*done) : Fail(done.status());
}

absl::StatusOr<v1::ActAnswer> Api::Do(const v1::ActOrder& order,
                                      const std::string& authorization) {
  if (order.why().size() > kMostWhy) {
    return absl::InvalidArgumentError(fmt::format(
        "why has {} bytes, expected at most {}", order.why().size(), kMostWhy));
  }
  const std::string who(options_.access->Identify(authorization));
  v1::ActAnswer answer;
  answer.set_who(who);
  grpc::ClientContext context;
  Within(kActPatience, &context);
  context.AddMetadata("authorization", authorization);
  if (order.act() == kReinstate) {
    v1::ReinstateRequest asked;
    asked.set_experiment(order.experiment());
    const std::string_view why = order.why().empty()
                                     ? std::string_view("no reason was given")
                                     : std::string_view(order.why());
    asked.set_reason(fmt::format("{}: {}", who, why));
    v1::ReinstateResponse nothing;
    const grpc::Status done =
        options_.admin->Reinstate(&context, asked, &nothing);
    if (!done.ok()) return ToAbsl(done);
    return answer;
  }
  for (const NamedAct& act : kActs) {
    if (act.name != order.act()) continue;
    v1::ActRequest asked;
    asked.set_experiment(order.experiment());
    asked.set_arm(order.arm());
    asked.set_why(order.why());
    const grpc::Status done = ((*options_.admin).*act.method)(
        &context, asked, answer.mutable_lifecycle());
    if (!done.ok()) return ToAbsl(done);
    return answer;
  }
  std::string names;
  for (const NamedAct& act : kActs) names += fmt::format("{}, ", act.name);
  return absl::InvalidArgumentError(fmt::format(
      "{} is no act; expected {}or {}", order.act(), names, kReinstate));
}

}  // namespace bandit::dashboard

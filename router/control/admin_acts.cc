// SPDX-License-Identifier: Apache-2.0
// Acts on experiments, and the log of them: AdminService's second half.
#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "router/control/admin_service.h"
#include "router/control/lifecycle_status.h"
#include "router/control/proto_time.h"

namespace bandit::control {
namespace {

using experiment::Act;

constexpr uint32_t kDefaultLast = 1000;
// So many entries are read at a time: the log is never in memory as a whole.
constexpr size_t kAuditPage = 1000;

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return {static_cast<grpc::StatusCode>(status.code()),
          std::string(status.message())};
}

// Who calls: by his token, by his certificate, or as he says.
void Identify(const grpc::CallbackServerContext& context, const Access& access,
              const std::string& claimed, learning::ActRequest* act) {
  act->proven = true;
  const auto& metadata = context.client_metadata();
  if (const auto it = metadata.find("authorization"); it != metadata.end()) {
    act->who = access.Identify({it->second.data(), it->second.size()});
    if (!act->who.empty()) return;
  }
  const auto peer = context.auth_context();
  if (peer != nullptr && peer->IsPeerAuthenticated()) {
    for (const grpc::string_ref& name : peer->GetPeerIdentity()) {
      act->who = "certificate " + std::string(name.data(), name.size());
      return;
    }
  }
  act->proven = false;
  act->who = claimed.empty() ? "unknown" : claimed;
}

// Reads the whole log, to verify it, and keeps what was asked for.
absl::Status ReadAudit(store::StateStore& store,
                       const v1::ListAuditRequest& request, v1::AuditLog* log) {
  const size_t last = request.last() == 0 ? kDefaultLast : request.last();
  std::vector<store::AuditEntry> kept;
  store::AuditEntry before;
  while (true) {
    auto page = store.Audit(before.sequence, kAuditPage);
    if (!page.ok()) return page.status();
    if (page->empty()) break;
    if (const auto status = store::VerifyAudit(before, *page);
        !status.ok() && log->broken().empty()) {
      log->set_broken(std::string(status.message()));
    }
    before = page->back();
    log->set_length(log->length() + page->size());
    for (store::AuditEntry& entry : *page) {
      if (request.experiment().empty() ||
          request.experiment() == entry.experiment) {
        kept.push_back(std::move(entry));
      }
    }
    if (kept.size() > last) kept.erase(kept.begin(), kept.end() - last);
  }
  for (const store::AuditEntry& from : kept) {
    v1::AuditEntry* entry = log->add_entries();
    entry->set_sequence(from.sequence);
    *entry->mutable_time() = ToProto(absl::FromUnixMillis(from.time_ms));
    entry->set_who(from.who);
    entry->set_proven(from.proven);
    entry->set_act(from.act);
    entry->set_experiment(from.experiment);
    entry->set_why(from.why);
    entry->set_detail(from.detail);
    entry->set_hash(absl::BytesToHexString(from.hash));
  }
  return absl::OkStatus();
}

absl::Status NotRunning() {
  return absl::UnavailableError("the router is starting or stopping");
}

}  // namespace

grpc::ServerUnaryReactor* AdminService::Do(grpc::CallbackServerContext* context,
                                           std::optional<Act> act,
                                           const v1::ActRequest* request,
                                           v1::LifecycleStatus* response) {
  learning::ActRequest asked{.experiment = request->experiment(),
                             .act = act.value_or(Act::kStart),
                             .arm = request->arm(),
                             .who = {},
                             .proven = false,
                             .why = request->why()};
  Identify(*context, *access_, request->who(), &asked);
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const auto result = std::make_shared<absl::Status>(NotRunning());
  learner_->Ask(
      [=](learning::Learner::Desk* desk) {
        if (desk == nullptr) return;
        const auto life = desk->act(asked, /*approve=*/!act.has_value());
        *result = life.status();
        if (life.ok()) {
          DescribeLife(desk->steward.View(asked.experiment), response);
        }
      },
      [=] { reactor->Finish(ToGrpc(*result)); });
  return reactor;
}

grpc::ServerUnaryReactor* AdminService::Start(
    grpc::CallbackServerContext* context, const v1::ActRequest* request,
    v1::LifecycleStatus* response) {
  return Do(context, Act::kStart, request, response);
}

grpc::ServerUnaryReactor* AdminService::Pause(
    grpc::CallbackServerContext* context, const v1::ActRequest* request,
    v1::LifecycleStatus* response) {
  return Do(context, Act::kPause, request, response);
}

grpc::ServerUnaryReactor* AdminService::Resume(
    grpc::CallbackServerContext* context, const v1::ActRequest* request,
    v1::LifecycleStatus* response) {
  return Do(context, Act::kResume, request, response);
}

grpc::ServerUnaryReactor* AdminService::Promote(
    grpc::CallbackServerContext* context, const v1::ActRequest* request,
    v1::LifecycleStatus* response) {
  return Do(context, Act::kPromote, request, response);
}

grpc::ServerUnaryReactor* AdminService::RollBack(
    grpc::CallbackServerContext* context, const v1::ActRequest* request,
    v1::LifecycleStatus* response) {
  return Do(context, Act::kRollBack, request, response);
}

grpc::ServerUnaryReactor* AdminService::Conclude(
    grpc::CallbackServerContext* context, const v1::ActRequest* request,
    v1::LifecycleStatus* response) {
  return Do(context, Act::kConclude, request, response);
}

grpc::ServerUnaryReactor* AdminService::Reset(
    grpc::CallbackServerContext* context, const v1::ActRequest* request,
    v1::LifecycleStatus* response) {
  return Do(context, Act::kReset, request, response);
}

grpc::ServerUnaryReactor* AdminService::Approve(
    grpc::CallbackServerContext* context, const v1::ActRequest* request,
    v1::LifecycleStatus* response) {
  return Do(context, std::nullopt, request, response);
}

grpc::ServerUnaryReactor* AdminService::ListAudit(
    grpc::CallbackServerContext* context, const v1::ListAuditRequest* request,
    v1::AuditLog* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const auto result = std::make_shared<absl::Status>(NotRunning());
  learner_->Ask(
      [=](learning::Learner::Desk* desk) {
        if (desk != nullptr)
          *result = ReadAudit(desk->store, *request, response);
      },
      [=] { reactor->Finish(ToGrpc(*result)); });
  return reactor;
}

}  // namespace bandit::control

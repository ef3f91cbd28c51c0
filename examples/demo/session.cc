// SPDX-License-Identifier: Apache-2.0
#include "examples/demo/session.h"

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "examples/demo/router_config.h"
#include "examples/digits/tensors.h"
#include "fmt/format.h"

namespace bandit::demo {
namespace {

// For inferences; the router's workers share them. Rewards and status go over
// one more.
constexpr int kConnections = 4;
constexpr uint64_t kMaxInFlight = 128;
constexpr uint64_t kHopeless = 200;
constexpr absl::Duration kTimeout = absl::Seconds(5);
constexpr absl::Duration kPollInterval = absl::Milliseconds(500);
constexpr absl::Duration kGrace = absl::Seconds(10);
// The longest nap: how fast a Ctrl-C or a dead child is noticed.
constexpr absl::Duration kNap = absl::Milliseconds(20);

std::shared_ptr<grpc::Channel> Connect(const std::string& address) {
  grpc::ChannelArguments arguments;
  // A connection for each channel, and no proxy to the loopback.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(),
                                   arguments);
}

std::string Metadata(const grpc::ClientContext& context, const char* key) {
  const auto& metadata = context.GetServerInitialMetadata();
  const auto it = metadata.find(key);
  if (it == metadata.end()) return "";
  return {it->second.data(), it->second.size()};
}

}  // namespace

struct Session::InferCall : Call {
  void Done() override { session->OnResponse(*this); }

  Session* session = nullptr;
  Request request;
  absl::Time sent;
  inference::ModelInferResponse response;
  std::unique_ptr<
      grpc::ClientAsyncResponseReader<inference::ModelInferResponse>>
      reader;
};

struct Session::StatusCall : Call {
  void Done() override {
    session->polling_ = false;
    if (status.ok() && response.experiments_size() == 1) {
      session->router_ = response.experiments(0);
    }
  }

  Session* session = nullptr;
  v1::RouterStatus response;
  std::unique_ptr<grpc::ClientAsyncResponseReader<v1::RouterStatus>> reader;
};

Session::Session(SessionInput input, Workload* workload, Tally* tally)
    : input_(std::move(input)),
      workload_(workload),
      tally_(tally),
      control_(Connect(input_.address)),
      admin_(v1::Admin::NewStub(control_)),
      rewards_(control_, &loop_, tally) {
  for (int i = 0; i < kConnections; ++i) {
    stubs_.push_back(
        inference::GRPCInferenceService::NewStub(Connect(input_.address)));
  }
}

View Session::Now(absl::Time now) const {
  return {.elapsed = now - start_,
          .total = input_.traffic,
          .in_flight = in_flight_,
          .rewards_open = rewards_open()};
}

absl::Status Session::Run(
    const std::atomic<bool>& stop,
    const std::function<absl::Status(const View&)>& watch) {
  start_ = next_request_ = next_poll_ = absl::Now();
  upcoming_ = workload_->Next();
  std::optional<absl::Time> closed;
  while (true) {
    const absl::Time now = absl::Now();
    if (!closed.has_value() && (stop || now >= start_ + input_.traffic)) {
      closed = now;
      traffic_ = now - start_;
      if (stop) rewards_.HurryUp();
    }
    while (!closed.has_value() && next_request_ <= now &&
           in_flight_ < kMaxInFlight) {
      SendRequest(now);
    }
    rewards_.SendDue(now);
    if (now >= next_poll_) PollStatus(now);
    if (absl::Status status = watch(Now(now)); !status.ok()) return status;
    if (tally_->failed() > kHopeless) {
      return absl::AbortedError(
          fmt::format("more than {} requests failed; the first: {}", kHopeless,
                      tally_->first_failure()));
    }
    if (closed.has_value() &&
        ((in_flight_ == 0 && rewards_.waiting() == 0) ||
         now > *closed + input_.longest_reward_delay + kGrace)) {
      break;
    }
    loop_.RunOne(std::min({now + kNap, rewards_.next(),
                           closed.has_value() || in_flight_ == kMaxInFlight
                               ? absl::InfiniteFuture()
                               : next_request_}));
  }
  AwaitLearned();
  return absl::OkStatus();
}

void Session::SendRequest(absl::Time now) {
  InferCall* const call = loop_.Own(std::make_unique<InferCall>());
  call->session = this;
  call->request = std::exchange(upcoming_, workload_->Next());
  call->sent = now;
  // After a pause (a full pipe), do not make up for lost time in one burst.
  next_request_ = std::max(next_request_, now - absl::Milliseconds(100)) +
                  call->request.gap;

  inference::ModelInferRequest message;
  digits::EncodeImage(
      input_.pictures[static_cast<size_t>(call->request.device)].images,
      call->request.sample, call->request.contents, &message);
  call->context.AddMetadata("x-user-id", call->request.user);
  call->context.AddMetadata("x-device",
                            std::string(DeviceName(call->request.device)));
  call->context.set_deadline(absl::ToChronoTime(now + kTimeout));
  call->reader = stubs_[requests_++ % stubs_.size()]->AsyncModelInfer(
      &call->context, message, loop_.queue());
  ++in_flight_;
  call->reader->Finish(&call->response, &call->status, call);
}

std::string Session::Check(const InferCall& call, size_t* arm, int* digit) {
  if (!call.status.ok()) {
    return fmt::format("{} (status {})", call.status.error_message(),
                       static_cast<int>(call.status.error_code()));
  }
  if (Metadata(call.context, "x-bandit-decision").empty()) {
    return "no x-bandit-decision in the response's metadata";
  }
  const std::string name = Metadata(call.context, "x-bandit-arm");
  const auto it = std::find(input_.arms.begin(), input_.arms.end(), name);
  if (it == input_.arms.end()) {
    return fmt::format("x-bandit-arm is '{}', which is no arm", name);
  }
  if (name != call.response.model_version()) {
    return fmt::format("x-bandit-arm is '{}', but '{}' answered", name,
                       call.response.model_version());
  }
  *arm = static_cast<size_t>(it - input_.arms.begin());
  const absl::StatusOr<int> decoded = digits::DecodeClass(call.response);
  if (!decoded.ok()) return decoded.status().ToString();
  *digit = *decoded;
  return "";
}

void Session::OnResponse(const InferCall& call) {
  --in_flight_;
  size_t arm = 0;
  int digit = 0;
  const std::string wrong = Check(call, &arm, &digit);
  if (!wrong.empty()) {
    tally_->Failed(wrong);
    return;
  }
  const absl::Time now = absl::Now();
  const Request& request = call.request;
  tally_->Served(arm, request.device, call.sent - start_, now - call.sent);
  if (input_.on_served) input_.on_served(call.sent - start_, now - call.sent);
  const auto& pictures = input_.pictures[static_cast<size_t>(request.device)];
  rewards_.Add({.due = now + request.reward_delay,
                .decision = Metadata(call.context, "x-bandit-decision"),
                .arm = arm,
                .device = request.device,
                .value = digit == pictures.labels[request.sample] ? 1.0 : 0.0});
}

void Session::PollStatus(absl::Time now) {
  next_poll_ = now + kPollInterval;
  if (polling_) return;
  polling_ = true;
  StatusCall* const call = loop_.Own(std::make_unique<StatusCall>());
  call->session = this;
  call->context.set_deadline(absl::ToChronoTime(now + kTimeout));
  v1::GetStatusRequest request;
  request.set_experiment(kExperiment);
  call->reader = admin_->AsyncGetStatus(&call->context, request, loop_.queue());
  call->reader->Finish(&call->response, &call->status, call);
}

void Session::AwaitLearned() {
  const auto accepted = static_cast<double>(tally_->outcomes(v1::ACCEPTED));
  const absl::Time deadline = absl::Now() + absl::Seconds(5);
  // An answer from before now may be older than the last reward.
  while (polling_ && loop_.RunOne(deadline)) {
  }
  while (absl::Now() < deadline) {
    PollStatus(absl::Now());
    while (polling_ && loop_.RunOne(deadline)) {
    }
    double learned = 0;
    if (router_.has_value()) {
      for (const auto& arm : router_->arms()) learned += arm.reward_count();
    }
    if (learned >= accepted) return;
    loop_.RunOne(absl::Now() + kNap);
  }
}

}  // namespace bandit::demo

// SPDX-License-Identifier: Apache-2.0
// A real router with two model servers behind it, for the client's tests.
#ifndef BANDIT_TESTS_INTEGRATION_CLIENT_CPP_ROUTER_CASE_H_
#define BANDIT_TESTS_INTEGRATION_CLIENT_CPP_ROUTER_CASE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "bandit/client/client.h"
#include "gtest/gtest.h"
#include "tests/integration/client_cpp/model_server.h"
#include "tests/integration/durability/router_process.h"
#include "tests/unit/store/temporary_directory.h"

namespace bandit::testing {

// Longer than anything takes that does not hang.
inline constexpr absl::Duration kLong = absl::Minutes(1);
inline constexpr char kTokenKey[] = "key";

// Experiment `ranker` chooses the model, by unit x-bandit-unit and features
// x-device and x-age; overlay `prompt` sets metadata; overlay `sketch`, a
// draft, counts nothing. Metric `click`; rewards also by x-request-id.
class RouterCase : public ::testing::Test {
 protected:
  void SetUp() override { Start(); }

  // The second time on the first time's port and state.
  void Start();

  // Its rewards do not linger, and are soon tried again.
  std::unique_ptr<client::Client> MakeClient(
      client::RewardSenderOptions rewards = {});
  // The router's `listen` port.
  std::string Target() const;

  // One call; the version of the model that served.
  std::string Infer(client::Client& client, const std::string& model = "m",
                    grpc::StatusCode expected = grpc::StatusCode::OK);

  // Whether the router's status comes to show `count` accepted rewards of the
  // experiment's `click`; it is published with the learner's ticks.
  ::testing::AssertionResult Shows(const std::string& experiment,
                                   uint64_t count);

  // A decision like the one of `genuine`, of its own id, signed with `key`.
  std::string Sign(const std::string& key, const std::string& genuine,
                   absl::Time time, const std::string& experiment = "ranker");

  // Outlives what uses it.
  TemporaryDirectory files_;
  ModelServer models_[2] = {ModelServer("a"), ModelServer("b")};
  std::unique_ptr<RouterProcess> router_;

 private:
  uint64_t Accepted(const std::string& experiment);

  int port_ = 0;
  uint64_t last_id_ = 0;
};

}  // namespace bandit::testing

#endif  // BANDIT_TESTS_INTEGRATION_CLIENT_CPP_ROUTER_CASE_H_

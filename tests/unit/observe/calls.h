// SPDX-License-Identifier: Apache-2.0
// Calls for tests.
#ifndef BANDIT_TESTS_UNIT_OBSERVE_CALLS_H_
#define BANDIT_TESTS_UNIT_OBSERVE_CALLS_H_

#include "router/observe/call.h"

namespace bandit::testing {

// One that has everything.
inline observe::Call FullCall() {
  observe::Call call;
  call.end_unix_ns = 1'700'000'000'123'456'000;
  call.duration_ns = 2'500'000;
  call.ttfb_ns = 1'000'000;
  call.code = 0;
  call.grpc = true;
  call.retries = 1;
  call.bytes_in = 300;
  call.bytes_out = 40;
  call.decided = true;
  call.propensity = 0.25;
  call.decision_id = 0x1234;
  call.unit = 0xABCDEF;
  call.has_trace = true;
  call.has_parent = true;
  call.trace = *observe::ParseTraceParent(
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  call.parent = {0, 0xF0, 0x67, 0xAA, 0x0B, 0xA9, 0x02, 0xB7};
  call.traced = true;
  call.logged = true;
  call.experiment = "ranker";
  call.arm = "candidate";
  call.backend = "ranker-b";
  call.endpoint = "10.0.0.7:8001";
  call.peer = "127.0.0.1:40000";
  call.verb = "POST";
  call.authority = "models.example.com";
  call.path = "/inference.GRPCInferenceService/ModelInfer";
  return call;
}

}  // namespace bandit::testing

#endif  // BANDIT_TESTS_UNIT_OBSERVE_CALLS_H_

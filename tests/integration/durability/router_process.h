// SPDX-License-Identifier: Apache-2.0
// A router, or a part of it, as a child process that a test may kill.
#ifndef BANDIT_TESTS_INTEGRATION_DURABILITY_ROUTER_PROCESS_H_
#define BANDIT_TESTS_INTEGRATION_DURABILITY_ROUTER_PROCESS_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace bandit::testing {

// Killed at destruction if it still runs.
// Thread-safety: Kill may be called beside the accessors.
class RouterProcess {
 public:
  // Runs `arguments` (the program first) and reads its standard output until a
  // line matches the regular expression `ready`, whose first group is the
  // control port. Fails if it ends before.
  static absl::StatusOr<std::unique_ptr<RouterProcess>> Start(
      const std::vector<std::string>& arguments, const std::string& ready);

  ~RouterProcess();

  int control_port() const { return control_port_; }

  // SIGKILL, and waits until it has gone.
  void Kill();
  // SIGTERM, and waits; gives the exit code, or minus the signal.
  int Terminate();

 private:
  RouterProcess() = default;
  int Signal(int signal);

  pid_t pid_ = -1;
  int output_ = -1;
  int control_port_ = 0;
};

}  // namespace bandit::testing

#endif  // BANDIT_TESTS_INTEGRATION_DURABILITY_ROUTER_PROCESS_H_

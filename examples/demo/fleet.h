// SPDX-License-Identifier: Apache-2.0
// The processes of the demo: a model server for each variant, and the router.
#ifndef BANDIT_EXAMPLES_DEMO_FLEET_H_
#define BANDIT_EXAMPLES_DEMO_FLEET_H_

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "examples/demo/child_process.h"

namespace bandit::demo {

struct FleetInput {
  // Paths of the programs and of digits.csv.gz.
  std::string server;
  std::string router;
  std::string data;
  std::string policy;
  // Where to write a copy of the router's config; empty: nowhere.
  std::string keep_config;
  // Whether the router has a guardrail on latency.
  bool guardrail = false;
};

// Everything that it writes lies in a temporary directory of its own, removed
// at the end. No port is fixed.
// Thread-safety: none. Start it on the main thread.
class Fleet {
 public:
  struct Server {
    std::string variant;
    // Measured by the server at start: see digits_server.
    double accuracy_scanner = 0;
    double accuracy_camera = 0;
  };

  // Starts all and waits until they are ready.
  // Fails with the child's own words if one is not; nothing is left running.
  static absl::StatusOr<std::unique_ptr<Fleet>> Start(
      const FleetInput& input, const std::atomic<bool>& stop);
  // Stops all, the router first.
  ~Fleet();
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  const std::vector<Server>& servers() const { return servers_; }
  // The router's ports.
  const std::string& listen() const { return listen_; }
  const std::string& admin() const { return admin_; }
  // Makes the variant's server slow for good.
  void Degrade(const std::string& variant);
  // Fails with Aborted if a process has ended.
  absl::Status Check();

 private:
  Fleet() = default;
  absl::Status StartServers(const FleetInput& input,
                            const std::atomic<bool>& stop);
  absl::Status StartRouter(const FleetInput& input,
                           const std::atomic<bool>& stop);

  std::string directory_;
  std::vector<Server> servers_;
  std::vector<std::string> addresses_;
  std::string listen_;
  std::string admin_;
  // The servers in their order, then the router.
  std::vector<std::unique_ptr<ChildProcess>> children_;
};

}  // namespace bandit::demo

#endif  // BANDIT_EXAMPLES_DEMO_FLEET_H_

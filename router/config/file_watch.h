// SPDX-License-Identifier: Apache-2.0
// Tells which files have changed, by looking at them now and then.
//
// A look follows symbolic links, so that a Kubernetes volume, where a link
// beside the file is exchanged, is seen to change; and it works on every file
// system, which notifications do not.
#ifndef BANDIT_ROUTER_CONFIG_FILE_WATCH_H_
#define BANDIT_ROUTER_CONFIG_FILE_WATCH_H_

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace bandit::config {

// Thread-safety: none.   Cost: one stat() for each file and look.
class FileWatch {
 public:
  // From now on these files. One that is new here counts as changed, so that
  // no change since it was read is missed.
  void Watch(const std::vector<std::string>& paths);

  // The files that are not as they were when they were last in the answer, and
  // that have not changed since the last look: one that is being written is
  // not ready to be read. A file that is not there is waited for.
  std::vector<std::string> Look();

 private:
  // Device, inode, size, times of modification and of the inode's change.
  // All 0: there is no such file.
  using Identity = std::array<int64_t, 7>;
  struct Seen {
    Identity last{};      // At the last look.
    Identity reported{};  // When it was last in the answer.
  };

  static Identity IdentityOf(const std::string& path);

  std::map<std::string, Seen> files_;
};

}  // namespace bandit::config

#endif  // BANDIT_ROUTER_CONFIG_FILE_WATCH_H_

// SPDX-License-Identifier: Apache-2.0
// A directory that is gone with the test.
#ifndef BANDIT_TESTS_UNIT_STORE_TEMPORARY_DIRECTORY_H_
#define BANDIT_TESTS_UNIT_STORE_TEMPORARY_DIRECTORY_H_

#include <cstdlib>
#include <filesystem>
#include <string>

namespace bandit::testing {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "bandit-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  std::string File(const std::string& name) const {
    return (path_ / name).string();
  }
  std::string StateUri() const { return "sqlite://" + File("state.db"); }

 private:
  std::filesystem::path path_;
};

}  // namespace bandit::testing

#endif  // BANDIT_TESTS_UNIT_STORE_TEMPORARY_DIRECTORY_H_

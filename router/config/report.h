// SPDX-License-Identifier: Apache-2.0
// What was read where, and what is wrong with it: one line an error,
// `file:line: what is wrong, what was expected`.
#ifndef BANDIT_ROUTER_CONFIG_REPORT_H_
#define BANDIT_ROUTER_CONFIG_REPORT_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "router/config/path.h"

namespace bandit::config {

// `text` made fit for a message: quoted unless it is a number, control
// characters escaped, cut after 80 bytes.
std::string Quoted(std::string_view text);

// Thread-safety: none.   Cost: memory grows with the file, not with its errors.
class Report {
 public:
  // Errors beyond this many are only counted.
  static constexpr size_t kMaxErrors = 100;

  explicit Report(std::string_view file);

  // The file gives `path` a value.
  void Record(const Path& path, int line);
  // Messages show `text` in place of the value: it came from the environment.
  void ShowInstead(const Path& path, std::string text);
  // Messages never show the value.
  void Hide(const Path& path);

  bool Given(const Path& path) const;
  // Of `path` or of the nearest place around it that the file gives.
  int Line(const Path& path) const;

  // `message` is one line.
  void Fail(int line, std::string message);
  // "<path> <what>", at its line or at another; marks the place as broken.
  void Fail(const Path& path, std::string_view what);
  void Fail(const Path& path, int line, std::string_view what);
  // "<path> = <value> <what>"; without the value where it is hidden.
  void FailValue(const Path& path, std::string_view value,
                 std::string_view what);

  // "<path> = <value> <what>", which does not make the config wrong.
  void WarnValue(const Path& path, std::string_view value,
                 std::string_view what);

  // An error was reported at `path` itself, so that what it holds cannot be
  // relied on.
  bool Broken(const Path& path) const;
  bool ok() const { return errors_.empty(); }

  // Ok, or InvalidArgument with all errors in the order of their lines.
  absl::Status Status() const;
  // One line each, `file:line: what`, in the order of their lines.
  std::vector<std::string> Warnings() const;

 private:
  struct Place {
    int line = 0;
    bool broken = false;
    bool hidden = false;
    std::string instead;
  };
  struct Error {
    int line;
    std::string message;
  };

  const Place* Find(const Path& path) const;
  // "= <value> <what>", or what may be shown of it.
  std::string WithValue(const Path& path, std::string_view value,
                        std::string_view what) const;
  // In the order of their lines.
  std::vector<std::string> Lines(const std::vector<Error>& messages) const;

  std::string file_;
  absl::flat_hash_map<std::string, Place> places_;
  std::vector<Error> errors_;
  std::vector<Error> warnings_;
  size_t uncounted_ = 0;
};

}  // namespace bandit::config

#endif  // BANDIT_ROUTER_CONFIG_REPORT_H_

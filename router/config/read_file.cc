// SPDX-License-Identifier: Apache-2.0
#include "router/config/read_file.h"

#include <sys/stat.h>

#include <cerrno>
#include <fstream>
#include <system_error>

#include "absl/status/status.h"
#include "fmt/format.h"
#include "router/config/document.h"

namespace bandit::config {
namespace {

absl::Status Unreadable(const std::string& path, std::string_view what,
                        int error) {
  const std::string message =
      fmt::format("{}: {}, expected {} that can be read", path,
                  std::generic_category().message(error), what);
  switch (error) {
    case ENOENT:
      return absl::NotFoundError(message);
    case EACCES:
      return absl::PermissionDeniedError(message);
    default:
      return absl::InvalidArgumentError(message);
  }
}

}  // namespace

absl::StatusOr<std::string> ReadFile(const std::string& path,
                                     std::string_view what) {
  struct stat status;
  if (stat(path.c_str(), &status) != 0) return Unreadable(path, what, errno);
  if (S_ISDIR(status.st_mode)) return Unreadable(path, what, EISDIR);
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return Unreadable(path, what, errno != 0 ? errno : EIO);
  // One byte more than is allowed, so that the reader says so.
  std::string text(kMaxFileBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return Unreadable(path, what, EIO);
  text.resize(static_cast<size_t>(file.gcount()));
  return text;
}

}  // namespace bandit::config

// SPDX-License-Identifier: Apache-2.0
#include "router/config/file_watch.h"

#include <sys/stat.h>

#include <utility>

namespace bandit::config {

void FileWatch::Watch(const std::vector<std::string>& paths) {
  std::map<std::string, Seen> files;
  for (const std::string& path : paths) {
    const auto known = files_.find(path);
    files[path] = known == files_.end() ? Seen() : known->second;
  }
  files_ = std::move(files);
}

std::vector<std::string> FileWatch::Look() {
  std::vector<std::string> changed;
  for (auto& [path, seen] : files_) {
    const Identity now = IdentityOf(path);
    const bool settled = now == std::exchange(seen.last, now);
    if (!settled || now == seen.reported || now == Identity()) continue;
    seen.reported = now;
    changed.push_back(path);
  }
  return changed;
}

FileWatch::Identity FileWatch::IdentityOf(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return {};
  return {static_cast<int64_t>(status.st_dev),
          static_cast<int64_t>(status.st_ino),
          static_cast<int64_t>(status.st_size),
          static_cast<int64_t>(status.st_mtim.tv_sec),
          static_cast<int64_t>(status.st_mtim.tv_nsec),
          static_cast<int64_t>(status.st_ctim.tv_sec),
          static_cast<int64_t>(status.st_ctim.tv_nsec)};
}

}  // namespace bandit::config

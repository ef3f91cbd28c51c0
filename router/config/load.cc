// SPDX-License-Identifier: Apache-2.0
#include "router/config/load.h"

#include <sys/stat.h>
#include <xxhash.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>

#include "fmt/format.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "router/config/describe.h"
#include "router/config/document.h"
#include "router/config/reader.h"
#include "router/config/report.h"
#include "router/config/validate.h"

namespace bandit::config {
namespace {

// Equal configs have equal bytes.
std::string Bytes(const v1::RouterConfig& config) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream out(&stream);
    out.SetSerializationDeterministic(true);
    config.SerializeToCodedStream(&out);
  }
  return bytes;
}

std::string Digest(const v1::RouterConfig& config) {
  const std::string bytes = Bytes(WithoutSecrets(config));
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

absl::Status Unreadable(const std::string& path, int error) {
  const std::string message =
      fmt::format("{}: {}, expected a config file that can be read", path,
                  std::generic_category().message(error));
  switch (error) {
    case ENOENT:
      return absl::NotFoundError(message);
    case EACCES:
      return absl::PermissionDeniedError(message);
    default:
      return absl::InvalidArgumentError(message);
  }
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  struct stat status;
  if (stat(path.c_str(), &status) != 0) return Unreadable(path, errno);
  if (S_ISDIR(status.st_mode)) return Unreadable(path, EISDIR);
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return Unreadable(path, errno != 0 ? errno : EIO);
  // One byte more than is allowed, so that LoadText says so.
  std::string text(kMaxFileBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return Unreadable(path, EIO);
  text.resize(static_cast<size_t>(file.gcount()));
  return text;
}

}  // namespace

bool LoadedConfig::operator==(const LoadedConfig& other) const {
  return Bytes(proto) == Bytes(other.proto);
}

absl::StatusOr<LoadedConfig> LoadText(std::string_view text,
                                      std::string_view file_name,
                                      const Environment& env, Files files) {
  Report report(file_name);
  const std::optional<YamlNode> root = ParseDocument(text, &report);
  LoadedConfig loaded;
  if (root.has_value()) {
    ReadMessage(*root, env, &loaded.proto, &report);
    ValidateConfig(&loaded.proto, &report);
    if (files == Files::kRead) ValidateTlsFiles(loaded.proto, &report);
  }
  if (!report.ok()) return report.Status();
  loaded.digest = Digest(loaded.proto);
  loaded.warnings = report.Warnings();
  return loaded;
}

absl::StatusOr<LoadedConfig> Load(const std::string& path,
                                  const Environment& env, Files files) {
  absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return text.status();
  return LoadText(*text, path, env, files);
}

absl::StatusOr<LoadedConfig> Load(const std::string& path) {
  return Load(path, ProcessEnvironment(), Files::kRead);
}

}  // namespace bandit::config

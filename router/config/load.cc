// SPDX-License-Identifier: Apache-2.0
#include "router/config/load.h"

#include <xxhash.h>

#include <optional>

#include "fmt/format.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "router/config/describe.h"
#include "router/config/document.h"
#include "router/config/read_file.h"
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
  absl::StatusOr<std::string> text = ReadFile(path, "a config file");
  if (!text.ok()) return text.status();
  return LoadText(*text, path, env, files);
}

absl::StatusOr<LoadedConfig> Load(const std::string& path) {
  return Load(path, ProcessEnvironment(), Files::kRead);
}

}  // namespace bandit::config

// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "fmt/format.h"
#include "router/config/checks.h"
#include "router/config/validate.h"
#include "router/tls/certificate.h"
#include "router/tls/peer_name.h"

namespace bandit::config {
namespace {

// What `load` gives for the file at `path`; reported if it cannot.
template <typename Loaded>
std::optional<Loaded> LoadFile(
    absl::StatusOr<Loaded> (*load)(const std::string&), const Path& path,
    const std::string& file, Report* report) {
  if (file.empty() || report->Broken(path)) return std::nullopt;
  absl::StatusOr<Loaded> loaded = load(file);
  if (loaded.ok()) return *std::move(loaded);
  report->FailValue(path, file, std::string(loaded.status().message()));
  return std::nullopt;
}

void CheckIdentity(const Path& path, const std::string& certificate,
                   const std::string& key, Report* report) {
  const Path certificate_path = path.Field("certificate");
  const Path key_path = path.Field("key");
  const auto certificates =
      LoadFile(&tls::LoadCertificates, certificate_path, certificate, report);
  const auto loaded_key = LoadFile(&tls::LoadKey, key_path, key, report);
  if (!certificates.has_value()) return;
  if (loaded_key.has_value() && !tls::Matches(*certificates, *loaded_key)) {
    report->FailValue(key_path, key,
                      "does not belong to the certificate, expected its "
                      "private key");
  }
  const std::string problem = tls::WhyNotValid(*certificates, absl::Now());
  if (!problem.empty()) {
    report->WarnValue(certificate_path, certificate, problem);
  }
}

template <typename Names>
void CheckNameRules(const Path& path, const Names& names, Report* report) {
  for (int i = 0; i < names.size(); ++i) {
    if (names[i].empty()) continue;  // Reported by the reader.
    const std::string problem = tls::WhyNoNameRule(names[i]);
    if (!problem.empty()) {
      report->FailValue(path.Item(static_cast<size_t>(i), ""), names[i],
                        problem);
    }
  }
}

void CheckVersion(const Path& path, const std::string& version,
                  Report* report) {
  // What is empty was reported by the reader.
  if (version.empty() || version == "1.2" || version == "1.3") return;
  report->FailValue(path, version, "is no TLS version, expected 1.2 or 1.3");
}

bool HasHost(const v1::BackendConfig& backend) {
  for (const std::string& address : backend.address()) {
    if (address.starts_with("unix")) return false;
  }
  return true;
}

}  // namespace

void ValidateListenTls(const Path& path, const v1::ListenTlsConfig& tls,
                       Report* report) {
  if (report->Broken(path)) return;
  const Path names = path.Field("client_names");
  CheckNameRules(names, tls.client_names(), report);
  if (tls.client_ca().empty() && !tls.client_names().empty() &&
      !report->Broken(path.Field("client_ca"))) {
    report->Fail(names, "has no client_ca, expected one that signs them");
  }
  CheckVersion(path.Field("min_version"), tls.min_version(), report);
}

void ValidateBackendTls(const Path& path, const v1::BackendConfig& backend,
                        Report* report) {
  if (report->Broken(path)) return;
  const v1::BackendTlsConfig& tls = backend.tls();
  const bool certificate = !tls.certificate().empty();
  if (certificate != !tls.key().empty() && !report->Broken(path.Field("key")) &&
      !report->Broken(path.Field("certificate"))) {
    report->Fail(path, certificate
                           ? "has a certificate without key, expected both"
                           : "has a key without certificate, expected both");
  }
  const Path name = path.Field("server_name");
  if (!tls.server_name().empty() && !tls::IsIpAddress(tls.server_name()) &&
      (tls.server_name().find_first_of(":/*") != std::string::npos ||
       !tls::WhyNoNameRule(tls.server_name()).empty())) {
    report->FailValue(name, tls.server_name(),
                      "is no host, expected a DNS name or an IP address");
  }
  if (tls.server_name().empty() && !report->Broken(name) && !HasHost(backend)) {
    report->Fail(path,
                 "has no server_name, expected one for a Unix socket, which "
                 "has no host to be verified");
  }
  CheckNameRules(path.Field("server_names"), tls.server_names(), report);
  CheckVersion(path.Field("min_version"), tls.min_version(), report);
}

void ValidateTlsFiles(const v1::RouterConfig& config, Report* report) {
  const auto check = [&](const Path& path, const auto& tls, const char* ca_name,
                         const std::string& ca) {
    CheckIdentity(path, tls.certificate(), tls.key(), report);
    LoadFile(&tls::LoadCertificates, path.Field(ca_name), ca, report);
  };
  const auto check_listener = [&](const char* field,
                                  const v1::ListenTlsConfig& tls) {
    check(Path().Field(field), tls, "client_ca", tls.client_ca());
  };
  if (config.has_tls()) check_listener("tls", config.tls());
  if (config.has_control_tls()) {
    check_listener("control_tls", config.control_tls());
  }
  for (const auto& [name, backend] : config.backends()) {
    if (!backend.has_tls()) continue;
    check(Path().Field("backends").Entry(name).Field("tls"), backend.tls(),
          "ca", backend.tls().ca());
  }
}

void ValidateControlToken(const std::string& token, Report* report) {
  const Path path = Path().Field("control_token");
  if (token.empty() || report->Broken(path)) return;
  if (!IsMetadataValue(token) || token.find(' ') != std::string::npos) {
    report->Fail(path,
                 "cannot be sent in metadata, expected visible ASCII without "
                 "spaces");
  }
}

}  // namespace bandit::config

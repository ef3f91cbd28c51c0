// SPDX-License-Identifier: Apache-2.0
#include "router/control/server_credentials.h"

#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "grpc/grpc.h"
#include "grpc/grpc_security.h"

namespace bandit::control {
namespace {

std::string_view View(const grpc_slice& slice) {
  return {reinterpret_cast<const char*>(GRPC_SLICE_START_PTR(slice)),
          GRPC_SLICE_LENGTH(slice)};
}

// What gRPC asks for every call that came in by one door.
struct Gate {
  const Access* access;
  Access::Door door;
};

std::vector<std::string_view> Properties(const grpc_auth_context* context,
                                         const char* name) {
  std::vector<std::string_view> values;
  grpc_auth_property_iterator next =
      grpc_auth_context_find_properties_by_name(context, name);
  while (const grpc_auth_property* property =
             grpc_auth_property_iterator_next(&next)) {
    values.emplace_back(property->value, property->value_length);
  }
  return values;
}

absl::Status Judge(const Gate& gate, const grpc_auth_context* context,
                   const grpc_metadata* metadata, size_t count) {
  if (gate.door == Access::Door::kControl) {
    absl::Status names = gate.access->CheckNames(
        Properties(context, GRPC_PEER_DNS_PROPERTY_NAME),
        Properties(context, GRPC_PEER_URI_PROPERTY_NAME));
    if (!names.ok()) return names;
  }
  std::string_view path, authorization;
  for (size_t i = 0; i < count; ++i) {
    const std::string_view key = View(metadata[i].key);
    if (key == ":path") path = View(metadata[i].value);
    if (key == "authorization") authorization = View(metadata[i].value);
  }
  return gate.access->Check(gate.door, path, authorization);
}

void Process(void* state, grpc_auth_context* context,
             const grpc_metadata* metadata, size_t count,
             grpc_process_auth_metadata_done_cb done, void* user_data) {
  const absl::Status status =
      Judge(*static_cast<Gate*>(state), context, metadata, count);
  const std::string message(status.message());
  done(user_data, nullptr, 0, nullptr, 0,
       static_cast<grpc_status_code>(status.code()), message.c_str());
}

// Gives gRPC the newest certificates. Called for each handshake.
class Certificates {
 public:
  explicit Certificates(const tls::Credentials* tls) : tls_(tls) {}

  // They ask here as long as they live.
  grpc_server_credentials* NewCredentials() {
    const auto ask =
        tls_->control()->client_ca.has_value()
            ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
            : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE;
    return grpc_ssl_server_credentials_create_with_options(
        grpc_ssl_server_credentials_create_options_using_config_fetcher(
            ask, &Certificates::Fetch, this));
  }

 private:
  static grpc_ssl_certificate_config_reload_status Fetch(
      void* self, grpc_ssl_server_certificate_config** config) {
    return static_cast<Certificates*>(self)->FetchNewest(config);
  }

  grpc_ssl_certificate_config_reload_status FetchNewest(
      grpc_ssl_server_certificate_config** config) {
    const std::shared_ptr<const tls::ServerFiles> files = tls_->control();
    absl::MutexLock lock(&mutex_);
    // Null: a reload took control_tls away, which needs a restart.
    if (files == nullptr || files == given_) {
      return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    }
    const grpc_ssl_pem_key_cert_pair pair = {files->key.pem.c_str(),
                                             files->certificates.pem.c_str()};
    // gRPC wants authorities here even where no client is asked for a
    // certificate, and so none is ever judged by them.
    const tls::Certificates& authorities =
        files->client_ca ? *files->client_ca : files->certificates;
    *config = grpc_ssl_server_certificate_config_create(authorities.pem.c_str(),
                                                        &pair, 1);
    given_ = files;
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  }

  const tls::Credentials* const tls_;
  absl::Mutex mutex_;  // Guards against handshakes at a time.
  std::shared_ptr<const tls::ServerFiles> given_ ABSL_GUARDED_BY(mutex_);
};

// gRPC's own credentials of C++ take a processor with TLS only; those of its C
// core take one in any case.
class GatedCredentials final : public grpc::ServerCredentials {
 public:
  // `certificates` null: cleartext.
  GatedCredentials(Gate gate, std::unique_ptr<Certificates> certificates)
      : certificates_(std::move(certificates)),
        credentials_(certificates_ == nullptr
                         ? grpc_insecure_server_credentials_create()
                         : certificates_->NewCredentials()) {
    grpc_server_credentials_set_auth_metadata_processor(
        credentials_,
        {.process = &Process,
         .destroy = [](void* state) { delete static_cast<Gate*>(state); },
         .state = new Gate(gate)});
  }
  ~GatedCredentials() override {
    grpc_server_credentials_release(credentials_);
  }

  void SetAuthMetadataProcessor(
      const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {
    std::abort();  // Nobody does: Access is the one who judges.
  }

 private:
  int AddPortToServer(const std::string& address,
                      grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), credentials_);
  }

  const std::unique_ptr<Certificates> certificates_;
  grpc_server_credentials* const credentials_;
};

}  // namespace

std::shared_ptr<grpc::ServerCredentials> CleartextCredentials(
    const Access* access, Access::Door door) {
  return std::make_shared<GatedCredentials>(Gate{access, door}, nullptr);
}

std::shared_ptr<grpc::ServerCredentials> TlsCredentials(
    const Access* access, const tls::Credentials* tls) {
  return std::make_shared<GatedCredentials>(
      Gate{access, Access::Door::kControl},
      std::make_unique<Certificates>(tls));
}

void RequireTls13() {
  // Nobody has agreed on a key beforehand, so that it is never taken.
  setenv("GRPC_SSL_CIPHER_SUITES", "PSK-AES128-GCM-SHA256", /*replace=*/1);
}

}  // namespace bandit::control

// SPDX-License-Identifier: Apache-2.0
#include "router/tls/context.h"

#include <fmt/format.h>
#include <openssl/err.h>

#include <utility>

#include "router/tls/peer_name.h"

namespace bandit::tls {
namespace {

// Forward secrecy and authenticated encryption only; what RFC 9113 forbids is
// not among them. 128 bits first: as safe for this use, and a quarter cheaper.
constexpr char kCiphers[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384";
constexpr char kCipherSuites[] =
    "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:"
    "TLS_AES_256_GCM_SHA384";
constexpr unsigned char kSessionId[] = "bandit-router";
constexpr size_t kReadBuffer = size_t{32} * 1024;

void SetCommon(SSL_CTX* context, const std::string& min_version) {
  SSL_CTX_set_min_proto_version(
      context, min_version == "1.3" ? TLS1_3_VERSION : TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(context, kCiphers);
  SSL_CTX_set_ciphersuites(context, kCipherSuites);
  // An end without close_notify is an end: HTTP/2 frames know their length.
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                   SSL_OP_IGNORE_UNEXPECTED_EOF |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE |
                                   SSL_OP_PRIORITIZE_CHACHA);
  // An idle connection holds no buffers; what waits to be written may move.
  SSL_CTX_set_mode(
      context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // Several records in one read of the socket.
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_default_read_buffer_len(context, kReadBuffer);
}

absl::Status UseIdentity(SSL_CTX* context, const Certificates& certificates,
                         const Key& key) {
  bool good =
      SSL_CTX_use_certificate(context, certificates.list.front().get()) == 1;
  for (size_t i = 1; i < certificates.list.size(); ++i) {
    good = good &&
           SSL_CTX_add1_chain_cert(context, certificates.list[i].get()) == 1;
  }
  good = good && SSL_CTX_use_PrivateKey(context, key.key.get()) == 1;
  if (good) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("the certificate cannot be used: {}", TakeError()));
}

absl::Status Trust(SSL_CTX* context, const Certificates& authorities) {
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  // An intermediate that is given is trusted as it stands.
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
  for (const Owned<X509>& authority : authorities.list) {
    if (X509_STORE_add_cert(store, authority.get()) == 1) continue;
    return absl::InvalidArgumentError(
        fmt::format("an authority cannot be used: {}", TakeError()));
  }
  // So that a client picks the right certificate of several.
  for (const Owned<X509>& authority : authorities.list) {
    SSL_CTX_add_client_CA(context, authority.get());
  }
  return absl::OkStatus();
}

absl::Status InField(const char* field, const std::string& path,
                     const absl::Status& status) {
  return absl::InvalidArgumentError(fmt::format("{} = \"{}\" {}", field, path,
                                                std::string(status.message())));
}

absl::Status KeyOfAnother(const std::string& key,
                          const std::string& certificate) {
  return absl::InvalidArgumentError(
      fmt::format("key = \"{}\" does not belong to the certificate in \"{}\"",
                  key, certificate));
}

struct Identity {
  Certificates certificates;
  Key key;
};

// A certificate and its key, as both sides' configs name them.
template <typename Config>
absl::StatusOr<Identity> LoadIdentity(const Config& config) {
  auto certificates = LoadCertificates(config.certificate());
  if (!certificates.ok()) {
    return InField("certificate", config.certificate(), certificates.status());
  }
  auto key = LoadKey(config.key());
  if (!key.ok()) return InField("key", config.key(), key.status());
  if (!Matches(*certificates, *key)) {
    return KeyOfAnother(config.key(), config.certificate());
  }
  return Identity{*std::move(certificates), *std::move(key)};
}

bool SamePem(const std::optional<Certificates>& a,
             const std::optional<Certificates>& b) {
  return a.has_value() == b.has_value() && (!a || a->pem == b->pem);
}

bool SamePem(const std::optional<Key>& a, const std::optional<Key>& b) {
  return a.has_value() == b.has_value() && (!a || a->pem == b->pem);
}

// What mends a server's certificate that could not be verified.
const char* Remedy(int error) {
  switch (error) {
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return "; set tls.ca";
    default:
      return "";
  }
}

std::string Joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    text += (text.empty() ? "" : ", ") + name;
  }
  return text.empty() ? "no name" : text;
}

}  // namespace

// OpenSSL's callbacks, with access to the connection's state.
struct ContextCallbacks {
  static Connection& Of(const SSL* ssl) {
    return *static_cast<Connection*>(SSL_get_app_data(ssl));
  }

  static int SelectProtocol(SSL*, const unsigned char** out,
                            unsigned char* out_size, const unsigned char* in,
                            unsigned int in_size, void*) {
    static constexpr unsigned char kH2[] = {2, 'h', '2'};
    unsigned char* chosen = nullptr;
    if (SSL_select_next_proto(&chosen, out_size, kH2, sizeof(kH2), in,
                              in_size) != OPENSSL_NPN_NEGOTIATED) {
      return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
  }

  static int Verify(X509_STORE_CTX* store, void*) {
    const auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(
        store, SSL_get_ex_data_X509_STORE_CTX_idx()));
    return Of(ssl).Judge(store) ? 1 : 0;
  }

  static int NewSession(SSL* ssl, SSL_SESSION* session) {
    const Connection& connection = Of(ssl);
    if (connection.sessions_ == nullptr) return 0;
    // A copy: OpenSSL spoils the session of a connection that breaks.
    connection.sessions_->Keep(connection.endpoint_,
                               Owned<SSL_SESSION>(SSL_SESSION_dup(session)));
    return 0;
  }
};

Connection::Connection(std::shared_ptr<const void> context, SSL_CTX* from,
                       Expected expected)
    : context_(std::move(context)),
      ssl_(SSL_new(from)),
      expected_(std::move(expected)) {
  SSL_set_app_data(ssl_.get(), this);
  if (expected_.server) {
    SSL_set_accept_state(ssl_.get());
  } else {
    SSL_set_connect_state(ssl_.get());
  }
}

absl::Status Connection::Established() const {
  const unsigned char* protocol = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &protocol, &size);
  if (size == 2 && protocol[0] == 'h' && protocol[1] == '2') {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      "the peer does not speak HTTP/2 over TLS (no ALPN \"h2\")");
}

std::string Connection::Problem() const {
  const unsigned long error = ERR_peek_last_error();
  ERR_clear_error();
  if (!refusal_.empty()) return refusal_;
  if (!expected_.server && ERR_GET_LIB(error) == ERR_LIB_SSL &&
      ERR_GET_REASON(error) == SSL_R_WRONG_VERSION_NUMBER) {
    return "the server speaks no TLS";
  }
  return ErrorText(error);
}

bool Connection::Judge(X509_STORE_CTX* store) {
  if (X509_verify_cert(store) != 1) {
    const int error = X509_STORE_CTX_get_error(store);
    refusal_ = fmt::format("certificate verify failed: {}{}",
                           X509_verify_cert_error_string(error),
                           expected_.server ? "" : Remedy(error));
    return false;
  }
  X509& leaf = *X509_STORE_CTX_get0_cert(store);
  const bool anybody = expected_.server && expected_.names->empty();
  if (anybody || (!expected_.server && IsForHost(leaf, expected_.host))) {
    return true;
  }
  for (const std::string& name : *expected_.names) {
    if (HasName(leaf, name)) return true;
  }
  refusal_ = fmt::format(
      "certificate verify failed: it is for {}, expected {}",
      Joined(NamesOf(leaf)),
      expected_.server
          ? "one of client_names"
          : fmt::format("\"{}\"; set tls.server_name", expected_.host));
  X509_STORE_CTX_set_error(store, X509_V_ERR_HOSTNAME_MISMATCH);
  return false;
}

void Connection::ResumeAt(const ClientContext* context, std::string endpoint) {
  sessions_ = context;
  endpoint_ = std::move(endpoint);
  if (const Owned<SSL_SESSION> session = context->SessionOf(endpoint_)) {
    SSL_set_session(ssl_.get(), session.get());
  }
}

absl::StatusOr<ServerFiles> ServerFiles::Read(
    const v1::ListenTlsConfig& config) {
  ServerFiles files;
  auto identity = LoadIdentity(config);
  if (!identity.ok()) return identity.status();
  files.certificates = std::move(identity->certificates);
  files.key = std::move(identity->key);
  if (config.client_ca().empty()) return files;
  auto ca = LoadCertificates(config.client_ca());
  if (!ca.ok()) return InField("client_ca", config.client_ca(), ca.status());
  files.client_ca = *std::move(ca);
  return files;
}

bool ServerFiles::operator==(const ServerFiles& other) const {
  return certificates.pem == other.certificates.pem &&
         key.pem == other.key.pem && SamePem(client_ca, other.client_ca);
}

ServerContext::ServerContext(const v1::ListenTlsConfig& config)
    : context_(SSL_CTX_new(TLS_server_method())),
      client_names_(config.client_names().begin(),
                    config.client_names().end()) {
  SetCommon(context_.get(), config.min_version());
}

absl::StatusOr<std::shared_ptr<const ServerContext>> ServerContext::Make(
    const v1::ListenTlsConfig& config, const ServerFiles& files) {
  std::shared_ptr<ServerContext> made(new ServerContext(config));
  SSL_CTX* context = made->context_.get();
  if (auto s = UseIdentity(context, files.certificates, files.key); !s.ok()) {
    return s;
  }
  if (files.client_ca.has_value()) {
    if (auto s = Trust(context, *files.client_ca); !s.ok()) return s;
    SSL_CTX_set_verify(
        context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    SSL_CTX_set_cert_verify_callback(context, &ContextCallbacks::Verify,
                                     nullptr);
  }
  SSL_CTX_set_alpn_select_cb(context, &ContextCallbacks::SelectProtocol,
                             nullptr);
  // Tickets hold the whole session, so that nothing is kept here. Their keys
  // are this context's: a change of files ends resumption, and with it what
  // older authorities vouched for.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 1);
  SSL_CTX_set_session_id_context(context, kSessionId, sizeof(kSessionId) - 1);
  return std::shared_ptr<const ServerContext>(std::move(made));
}

std::unique_ptr<Connection> ServerContext::Accept() const {
  return std::make_unique<Connection>(
      shared_from_this(), context_.get(),
      Connection::Expected{
          .host = {}, .names = &client_names_, .server = true});
}

absl::StatusOr<ClientFiles> ClientFiles::Read(
    const v1::BackendTlsConfig& config) {
  ClientFiles files;
  if (!config.ca().empty()) {
    auto ca = LoadCertificates(config.ca());
    if (!ca.ok()) return InField("ca", config.ca(), ca.status());
    files.ca = *std::move(ca);
  }
  if (config.certificate().empty()) return files;
  auto identity = LoadIdentity(config);
  if (!identity.ok()) return identity.status();
  files.certificates = std::move(identity->certificates);
  files.key = std::move(identity->key);
  return files;
}

bool ClientFiles::operator==(const ClientFiles& other) const {
  return SamePem(ca, other.ca) && SamePem(certificates, other.certificates) &&
         SamePem(key, other.key);
}

ClientContext::ClientContext(const v1::BackendTlsConfig& config)
    : context_(SSL_CTX_new(TLS_client_method())),
      server_name_(config.server_name()),
      server_names_(config.server_names().begin(),
                    config.server_names().end()) {
  SetCommon(context_.get(), config.min_version());
}

absl::StatusOr<std::shared_ptr<const ClientContext>> ClientContext::Make(
    const v1::BackendTlsConfig& config, const ClientFiles& files) {
  std::shared_ptr<ClientContext> made(new ClientContext(config));
  SSL_CTX* context = made->context_.get();
  if (files.ca.has_value()) {
    if (auto s = Trust(context, *files.ca); !s.ok()) return s;
  } else {
    SSL_CTX_set_default_verify_paths(context);
  }
  if (files.certificates.has_value()) {
    auto s = UseIdentity(context, *files.certificates, *files.key);
    if (!s.ok()) return s;
  }
  static constexpr unsigned char kH2[] = {2, 'h', '2'};
  SSL_CTX_set_alpn_protos(context, kH2, sizeof(kH2));
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(context, &ContextCallbacks::Verify, nullptr);
  SSL_CTX_set_session_cache_mode(
      context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
  SSL_CTX_sess_set_new_cb(context, &ContextCallbacks::NewSession);
  return std::shared_ptr<const ClientContext>(std::move(made));
}

std::unique_ptr<Connection> ClientContext::Connect(
    const std::string& host, const std::string& endpoint) const {
  const std::string& name = server_name_.empty() ? host : server_name_;
  auto connection = std::make_unique<Connection>(
      shared_from_this(), context_.get(),
      Connection::Expected{
          .host = name, .names = &server_names_, .server = false});
  // An address is no name (RFC 6066).
  if (!name.empty() && !IsIpAddress(name)) {
    SSL_set_tlsext_host_name(connection->ssl(), name.c_str());
  }
  // Sessions vouch for the name that was checked: another one must not find
  // them.
  connection->ResumeAt(this, endpoint + "/" + name);
  return connection;
}

void ClientContext::Keep(const std::string& endpoint,
                         Owned<SSL_SESSION> session) const {
  // Endpoints come and go with what names resolve to.
  constexpr size_t kMostSessions = 1000;
  absl::MutexLock lock(&mutex_);
  if (sessions_.size() >= kMostSessions && !sessions_.contains(endpoint)) {
    sessions_.clear();
  }
  sessions_[endpoint] = std::move(session);
}

Owned<SSL_SESSION> ClientContext::SessionOf(const std::string& endpoint) const {
  absl::MutexLock lock(&mutex_);
  const auto kept = sessions_.find(endpoint);
  if (kept == sessions_.end()) return nullptr;
  return Owned<SSL_SESSION>(SSL_SESSION_dup(kept->second.get()));
}

}  // namespace bandit::tls

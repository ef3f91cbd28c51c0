// SPDX-License-Identifier: Apache-2.0
// What TLS connections are made from: a server's side and a client's side of
// the config with the files that they name, as OpenSSL wants them.
//
// A context never changes. When files do, a new one takes its place (see
// credentials.h); connections keep theirs. HTTP/2 only: ALPN must agree on h2.
#ifndef BANDIT_ROUTER_TLS_CONTEXT_H_
#define BANDIT_ROUTER_TLS_CONTEXT_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "bandit/v1/config.pb.h"
#include "router/tls/certificate.h"
#include "router/tls/openssl.h"

namespace bandit::tls {

class ClientContext;
struct ContextCallbacks;

// One connection's TLS. Keeps its context.
// Thread-safety: none.
class Connection {
 public:
  // The peer's certificate is judged by `names`.
  struct Expected {
    std::string host;  // Client: the server's name; empty: none in particular.
    const std::vector<std::string>* names;  // Borrowed from the context.
    bool server = false;                    // This side is the server.
  };

  Connection(std::shared_ptr<const void> context, SSL_CTX* from,
             Expected expected);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  SSL* ssl() const { return ssl_.get(); }
  bool server() const { return expected_.server; }

  // After the handshake: fails if the peer does not speak HTTP/2.
  absl::Status Established() const;

  // After a failed handshake: why, in words; empties OpenSSL's queue.
  std::string Problem() const;

  // Client: resumes the session last kept under `endpoint`, if there is one,
  // and keeps there what the server offers.
  void ResumeAt(const ClientContext* context, std::string endpoint);

 private:
  friend struct ContextCallbacks;
  bool Judge(X509_STORE_CTX* store);

  std::shared_ptr<const void> context_;
  Owned<SSL> ssl_;
  Expected expected_;
  const ClientContext* sessions_ = nullptr;
  std::string endpoint_;
  std::string refusal_;  // Why the peer's certificate was refused.
};

// The files of a server's side, read.
struct ServerFiles {
  Certificates certificates;
  Key key;
  std::optional<Certificates> client_ca;

  // Fails with the field and the file: "certificate = \"a.pem\" is ...".
  static absl::StatusOr<ServerFiles> Read(const v1::ListenTlsConfig& config);
  bool operator==(const ServerFiles& other) const;
};

// Thread-safety: any thread may make connections.
class ServerContext : public std::enable_shared_from_this<ServerContext> {
 public:
  static absl::StatusOr<std::shared_ptr<const ServerContext>> Make(
      const v1::ListenTlsConfig& config, const ServerFiles& files);

  // For a client that has just connected.
  std::unique_ptr<Connection> Accept() const;

 private:
  explicit ServerContext(const v1::ListenTlsConfig& config);

  Owned<SSL_CTX> context_;
  std::vector<std::string> client_names_;
};

struct ClientFiles {
  std::optional<Certificates> ca;  // None: the system's.
  std::optional<Certificates> certificates;
  std::optional<Key> key;

  // As ServerFiles.
  static absl::StatusOr<ClientFiles> Read(const v1::BackendTlsConfig& config);
  bool operator==(const ClientFiles& other) const;
};

// Thread-safety: any thread may make connections.
class ClientContext : public std::enable_shared_from_this<ClientContext> {
 public:
  static absl::StatusOr<std::shared_ptr<const ClientContext>> Make(
      const v1::BackendTlsConfig& config, const ClientFiles& files);

  // To the server at `endpoint` ("10.0.0.7:8001"), whose address in the config
  // has `host`.
  std::unique_ptr<Connection> Connect(const std::string& host,
                                      const std::string& endpoint) const;

 private:
  friend class Connection;
  friend struct ContextCallbacks;

  explicit ClientContext(const v1::BackendTlsConfig& config);
  void Keep(const std::string& endpoint, Owned<SSL_SESSION> session) const;
  Owned<SSL_SESSION> SessionOf(const std::string& endpoint) const;

  Owned<SSL_CTX> context_;
  std::string server_name_;
  std::vector<std::string> server_names_;
  mutable absl::Mutex mutex_;
  // The newest of each endpoint, shared by workers.
  mutable std::map<std::string, Owned<SSL_SESSION>> sessions_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace bandit::tls

#endif  // BANDIT_ROUTER_TLS_CONTEXT_H_

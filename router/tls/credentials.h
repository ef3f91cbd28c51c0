// SPDX-License-Identifier: Apache-2.0
// The TLS side of the config in use: what new connections are made with, read
// again when files change. Connections that are open go on with what they
// began with.
#ifndef BANDIT_ROUTER_TLS_CREDENTIALS_H_
#define BANDIT_ROUTER_TLS_CREDENTIALS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "bandit/v1/config.pb.h"
#include "router/tls/context.h"

namespace bandit::tls {

// One backend's side of TLS, shared by the connections of all workers.
// Thread-safety: any thread.
class BackendCredentials {
 public:
  explicit BackendCredentials(v1::BackendTlsConfig config)
      : config_(std::move(config)) {}

  // What a new connection is made with. Fails if the files could not be read
  // yet, and says why.
  absl::StatusOr<std::shared_ptr<const ClientContext>> Get() const;

 private:
  friend class Credentials;

  struct Use {
    std::shared_ptr<const ClientFiles> files;
    std::shared_ptr<const ClientContext> context;
  };
  absl::StatusOr<Use> Read() const;
  void Put(absl::StatusOr<Use> use);

  const v1::BackendTlsConfig config_;
  mutable absl::Mutex mutex_;  // Guards what a reload exchanges.
  absl::StatusOr<Use> use_ ABSL_GUARDED_BY(mutex_);
};

// Thread-safety: Prepare, Adopt and Reload from one thread, the rest from any.
class Credentials {
 public:
  // Files that were read again and were not as before.
  struct Change {
    std::string name;     // "listen", "control", "backends.ranker-a".
    absl::Status status;  // Why what was before stays, if it does.
    std::string warning;  // "expired on 2026-01-31"; empty if there is none.
  };
  struct Totals {
    uint64_t reloaded = 0;  // Changes taken over.
    uint64_t failed = 0;    // Changes that were broken.
    // When the certificate of each name ends.
    std::map<std::string, absl::Time> expiry;
  };

  class Prepared;

  // Reads every file that `config` names. Fails, naming field and file.
  absl::StatusOr<Prepared> Prepare(const v1::RouterConfig& config);
  // Serves by it from now on.
  void Adopt(Prepared prepared);

  // Reads the files again. What is broken keeps what it had.
  std::vector<Change> Reload(absl::Time now);

  // Null: `listen` is in cleartext.
  std::shared_ptr<const ServerContext> listener() const;
  // The files of `control_tls`; null: it is in cleartext.
  std::shared_ptr<const ServerFiles> control() const;
  // The same for equal configs, as long as somebody holds it.
  std::shared_ptr<const BackendCredentials> backend(
      const v1::BackendTlsConfig& config);

  // All that is in use.
  std::vector<std::string> files() const;
  Totals totals() const;

 private:
  struct Server {
    v1::ListenTlsConfig config;
    std::shared_ptr<const ServerFiles> files;
    std::shared_ptr<const ServerContext> context;

    bool Equals(const Server& other) const;
  };
  using Backend = std::shared_ptr<BackendCredentials>;

  static absl::StatusOr<Server> Read(const v1::ListenTlsConfig& config);
  Backend FindOrMake(const v1::BackendTlsConfig& config)
      ABSL_LOCKS_EXCLUDED(mutex_);
  void Note(Change change, std::vector<Change>* changes);

  mutable absl::Mutex mutex_;  // Guards what is in use, and the counts.
  Server listen_ ABSL_GUARDED_BY(mutex_);
  Server control_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, Backend> backends_ ABSL_GUARDED_BY(mutex_);  // By name.
  // By content; also those of an earlier config that workers still hold.
  std::map<std::string, std::weak_ptr<BackendCredentials>> known_
      ABSL_GUARDED_BY(mutex_);
  uint64_t reloaded_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t failed_ ABSL_GUARDED_BY(mutex_) = 0;
};

// What one config names, read.
class Credentials::Prepared {
 private:
  friend class Credentials;

  Server listen_;
  Server control_;
  std::map<std::string, Backend> backends_;
  std::map<std::string, BackendCredentials::Use> uses_;
};

}  // namespace bandit::tls

#endif  // BANDIT_ROUTER_TLS_CREDENTIALS_H_

// SPDX-License-Identifier: Apache-2.0
#include "router/tls/credentials.h"

#include <fmt/format.h>

namespace bandit::tls {
namespace {

absl::Status Under(const std::string& field, const absl::Status& status) {
  return absl::InvalidArgumentError(
      fmt::format("{}.{}", field, std::string(status.message())));
}

void AddPath(const std::string& path, std::vector<std::string>* paths) {
  if (!path.empty()) paths->push_back(path);
}

void AddPaths(const v1::ListenTlsConfig& config,
              std::vector<std::string>* paths) {
  AddPath(config.certificate(), paths);
  AddPath(config.key(), paths);
  AddPath(config.client_ca(), paths);
}

}  // namespace

absl::StatusOr<std::shared_ptr<const ClientContext>> BackendCredentials::Get()
    const {
  absl::MutexLock lock(&mutex_);
  if (!use_.ok()) return use_.status();
  return use_->context;
}

absl::StatusOr<BackendCredentials::Use> BackendCredentials::Read() const {
  auto files = ClientFiles::Read(config_);
  if (!files.ok()) return files.status();
  auto context = ClientContext::Make(config_, *files);
  if (!context.ok()) return context.status();
  return Use{std::make_shared<const ClientFiles>(*std::move(files)),
             *std::move(context)};
}

void BackendCredentials::Put(absl::StatusOr<Use> use) {
  absl::MutexLock lock(&mutex_);
  use_ = std::move(use);
}

absl::StatusOr<Credentials::Server> Credentials::Read(
    const v1::ListenTlsConfig& config) {
  auto files = ServerFiles::Read(config);
  if (!files.ok()) return files.status();
  auto context = ServerContext::Make(config, *files);
  if (!context.ok()) return context.status();
  return Server{config, std::make_shared<const ServerFiles>(*std::move(files)),
                *std::move(context)};
}

bool Credentials::Server::Equals(const Server& other) const {
  return files != nullptr && other.files != nullptr && *files == *other.files &&
         config.SerializeAsString() == other.config.SerializeAsString();
}

absl::StatusOr<Credentials::Prepared> Credentials::Prepare(
    const v1::RouterConfig& config) {
  Prepared prepared;
  if (config.has_tls()) {
    auto read = Read(config.tls());
    if (!read.ok()) return Under("tls", read.status());
    prepared.listen_ = *std::move(read);
  }
  if (config.has_control_tls()) {
    auto read = Read(config.control_tls());
    if (!read.ok()) return Under("control_tls", read.status());
    prepared.control_ = *std::move(read);
  }
  for (const auto& [name, backend] : config.backends()) {
    if (!backend.has_tls()) continue;
    Backend credentials = FindOrMake(backend.tls());
    auto use = credentials->Read();
    if (!use.ok()) {
      return Under(fmt::format("backends.{}.tls", name), use.status());
    }
    prepared.backends_[name] = std::move(credentials);
    prepared.uses_[name] = *std::move(use);
  }
  return prepared;
}

void Credentials::Adopt(Prepared prepared) {
  for (const auto& [name, backend] : prepared.backends_) {
    const BackendCredentials::Use& use = prepared.uses_[name];
    absl::MutexLock lock(&backend->mutex_);
    // The same files keep their context, and with it the sessions to resume.
    if (backend->use_.ok() && *backend->use_->files == *use.files) continue;
    backend->use_ = use;
  }
  absl::MutexLock lock(&mutex_);
  // As before, it goes on with its tickets.
  if (!prepared.listen_.Equals(listen_)) listen_ = prepared.listen_;
  if (!prepared.control_.Equals(control_)) control_ = prepared.control_;
  backends_ = std::move(prepared.backends_);
  std::erase_if(known_,
                [](const auto& entry) { return entry.second.expired(); });
}

Credentials::Backend Credentials::FindOrMake(
    const v1::BackendTlsConfig& config) {
  // Without maps in it, equal messages have equal bytes.
  const std::string content = config.SerializeAsString();
  absl::MutexLock lock(&mutex_);
  std::weak_ptr<BackendCredentials>& known = known_[content];
  if (Backend credentials = known.lock()) return credentials;
  auto credentials = std::make_shared<BackendCredentials>(config);
  known = credentials;
  return credentials;
}

std::shared_ptr<const BackendCredentials> Credentials::backend(
    const v1::BackendTlsConfig& config) {
  Backend credentials = FindOrMake(config);
  // New only if the config was replaced before this worker heard of it.
  if (!credentials->Get().ok()) credentials->Put(credentials->Read());
  return credentials;
}

std::vector<Credentials::Change> Credentials::Reload(absl::Time now) {
  std::vector<Change> changes;
  const auto reload = [&](const char* name, Server Credentials::*which) {
    Server before;
    {
      absl::MutexLock lock(&mutex_);
      before = this->*which;
    }
    if (before.files == nullptr) return;
    auto read = Read(before.config);
    if (read.ok() && *read->files == *before.files) return;
    Change change{.name = name, .status = read.status(), .warning = {}};
    if (read.ok()) {
      change.warning = WhyNotValid(read->files->certificates, now);
      absl::MutexLock lock(&mutex_);
      this->*which = *std::move(read);
    }
    Note(std::move(change), &changes);
  };
  reload("listen", &Credentials::listen_);
  reload("control", &Credentials::control_);
  std::map<std::string, Backend> backends;
  {
    absl::MutexLock lock(&mutex_);
    backends = backends_;
  }
  for (const auto& [name, backend] : backends) {
    auto read = backend->Read();
    if (read.ok()) {
      absl::MutexLock lock(&backend->mutex_);
      if (backend->use_.ok() && *backend->use_->files == *read->files) continue;
      backend->use_ = *read;
    }
    Change change{
        .name = "backends." + name, .status = read.status(), .warning = {}};
    if (read.ok() && read->files->certificates.has_value()) {
      change.warning = WhyNotValid(*read->files->certificates, now);
    }
    Note(std::move(change), &changes);
  }
  return changes;
}

void Credentials::Note(Change change, std::vector<Change>* changes) {
  absl::MutexLock lock(&mutex_);
  ++(change.status.ok() ? reloaded_ : failed_);
  changes->push_back(std::move(change));
}

std::shared_ptr<const ServerContext> Credentials::listener() const {
  absl::MutexLock lock(&mutex_);
  return listen_.context;
}

std::shared_ptr<const ServerFiles> Credentials::control() const {
  absl::MutexLock lock(&mutex_);
  return control_.files;
}

std::vector<std::string> Credentials::files() const {
  std::vector<std::string> paths;
  absl::MutexLock lock(&mutex_);
  AddPaths(listen_.config, &paths);
  AddPaths(control_.config, &paths);
  for (const auto& [name, backend] : backends_) {
    AddPath(backend->config_.ca(), &paths);
    AddPath(backend->config_.certificate(), &paths);
    AddPath(backend->config_.key(), &paths);
  }
  return paths;
}

Credentials::Totals Credentials::totals() const {
  absl::MutexLock lock(&mutex_);
  Totals totals{.reloaded = reloaded_, .failed = failed_, .expiry = {}};
  const auto add = [&](const std::string& name, const Certificates& from) {
    totals.expiry[name] = ExpiryOf(from);
  };
  if (listen_.files != nullptr) add("listen", listen_.files->certificates);
  if (control_.files != nullptr) add("control", control_.files->certificates);
  for (const auto& [name, backend] : backends_) {
    absl::MutexLock backend_lock(&backend->mutex_);
    if (!backend->use_.ok() || !backend->use_->files->certificates) continue;
    add("backends." + name, *backend->use_->files->certificates);
  }
  return totals;
}

}  // namespace bandit::tls

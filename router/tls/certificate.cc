// SPDX-License-Identifier: Apache-2.0
#include "router/tls/certificate.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

namespace bandit::tls {
namespace {

constexpr size_t kMostBytes = size_t{1} << 20;

absl::Status Wrong(const std::string& message) {
  return absl::InvalidArgumentError(message);
}

absl::Status Unreadable(int error) {
  return Wrong(fmt::format("cannot be read ({}), expected a PEM file",
                           std::strerror(error)));
}

Owned<BIO> BioOf(const std::string& bytes) {
  return Owned<BIO>(
      BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

// Instead of a prompt on the terminal.
int NoPassphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

absl::Time ToTime(const ASN1_TIME* from) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(from, &parts) != 1) return absl::InfinitePast();
  return absl::FromTM(parts, absl::UTCTimeZone());
}

std::string Day(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d", time, absl::UTCTimeZone());
}

// Closes on every way out.
class File {
 public:
  explicit File(const std::string& path)
      : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  int descriptor() const { return descriptor_; }

 private:
  const int descriptor_;
};

}  // namespace

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  const File file(path);
  if (file.descriptor() < 0) return Unreadable(errno);
  struct stat status {};
  if (::fstat(file.descriptor(), &status) != 0) return Unreadable(errno);
  if (S_ISDIR(status.st_mode)) return Unreadable(EISDIR);
  if (!S_ISREG(status.st_mode)) {
    return Wrong("is not a regular file, expected a PEM file");
  }
  std::string bytes;
  std::string piece(16384, '\0');
  for (;;) {
    const ssize_t n = ::read(file.descriptor(), piece.data(), piece.size());
    if (n < 0) return Unreadable(errno);
    if (n == 0) return bytes;
    bytes.append(piece, 0, static_cast<size_t>(n));
    if (bytes.size() > kMostBytes) {
      return Wrong("is larger than 1 MiB, expected a PEM file");
    }
  }
}

absl::StatusOr<Certificates> LoadCertificates(const std::string& path) {
  auto pem = ReadFile(path);
  if (!pem.ok()) return pem.status();
  Certificates certificates{.pem = *std::move(pem), .list = {}};
  const Owned<BIO> bio = BioOf(certificates.pem);
  while (X509* next =
             PEM_read_bio_X509_AUX(bio.get(), nullptr, nullptr, nullptr)) {
    certificates.list.emplace_back(next);
  }
  const unsigned long error = ERR_peek_last_error();
  ERR_clear_error();
  // That there is no further one is how the list ends.
  if (ERR_GET_REASON(error) != PEM_R_NO_START_LINE) {
    return Wrong(fmt::format(
        "has a damaged certificate, the {}. ({}), expected PEM certificates",
        certificates.list.size() + 1, ErrorText(error)));
  }
  if (certificates.list.empty()) {
    return Wrong("holds no certificate, expected PEM certificates");
  }
  return certificates;
}

absl::StatusOr<Key> LoadKey(const std::string& path) {
  auto pem = ReadFile(path);
  if (!pem.ok()) return pem.status();
  Key key{.pem = *std::move(pem), .key = {}};
  bool encrypted = false;
  key.key.reset(PEM_read_bio_PrivateKey(BioOf(key.pem).get(), nullptr,
                                        &NoPassphrase, &encrypted));
  ERR_clear_error();
  if (key.key != nullptr) return key;
  return Wrong(encrypted
                   ? "is encrypted, expected a private key without passphrase"
                   : "holds no private key, expected one in PEM");
}

bool Matches(const Certificates& certificates, const Key& key) {
  const bool same = X509_check_private_key(certificates.list.front().get(),
                                           key.key.get()) == 1;
  ERR_clear_error();
  return same;
}

absl::Time ExpiryOf(const Certificates& certificates) {
  return ToTime(X509_get0_notAfter(certificates.list.front().get()));
}

absl::Time StartOf(const Certificates& certificates) {
  return ToTime(X509_get0_notBefore(certificates.list.front().get()));
}

std::string WhyNotValid(const Certificates& certificates, absl::Time now) {
  if (now > ExpiryOf(certificates)) {
    return fmt::format("expired on {}", Day(ExpiryOf(certificates)));
  }
  if (now < StartOf(certificates)) {
    return fmt::format("is valid from {} on", Day(StartOf(certificates)));
  }
  return "";
}

}  // namespace bandit::tls

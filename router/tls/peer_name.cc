// SPDX-License-Identifier: Apache-2.0
#include "router/tls/peer_name.h"

#include <arpa/inet.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace bandit::tls {
namespace {

constexpr std::string_view kAnyLabel = "*.";

struct NamesFree {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};
using Names = std::unique_ptr<GENERAL_NAMES, NamesFree>;

Names AlternativeNames(X509& certificate) {
  return Names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
}

std::string_view TextOf(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<size_t>(ASN1_STRING_length(text))};
}

std::string AddressText(std::string_view bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = bytes.size() == 4 ? AF_INET : AF_INET6;
  if (bytes.size() != 4 && bytes.size() != 16) return "";
  inet_ntop(family, bytes.data(), text.data(), text.size());
  return text.data();
}

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return absl::EqualsIgnoreCase({a.data(), a.size()}, {b.data(), b.size()});
}

bool IsHostName(std::string_view text) {
  return !text.empty() && text.front() != '.' &&
         text.find("..") == std::string_view::npos &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return absl::ascii_isalnum(c) || c == '-' || c == '.' || c == '_';
         });
}

}  // namespace

std::vector<std::string> NamesOf(X509& certificate) {
  std::vector<std::string> texts;
  const Names names = AlternativeNames(certificate);
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS || name->type == GEN_URI) {
      texts.emplace_back(TextOf(name->d.ia5));
    } else if (name->type == GEN_IPADD) {
      texts.push_back(AddressText(TextOf(name->d.iPAddress)));
    }
  }
  return texts;
}

bool IsForHost(X509& certificate, const std::string& host) {
  // OpenSSL would take ".a.test" for all that is under it.
  if (host.empty() || host.front() == '.') return false;
  if (IsIpAddress(host)) {
    return X509_check_ip_asc(&certificate, host.c_str(), 0) == 1;
  }
  return X509_check_host(&certificate, host.data(), host.size(),
                         X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
                             X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS,
                         nullptr) == 1;
}

bool HasName(X509& certificate, std::string_view rule) {
  const Names names = AlternativeNames(certificate);
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_URI && TextOf(name->d.ia5) == rule) return true;
    if (name->type == GEN_DNS && DnsNameFits(TextOf(name->d.ia5), rule)) {
      return true;
    }
  }
  return false;
}

bool DnsNameFits(std::string_view name, std::string_view rule) {
  if (EqualsIgnoringCase(name, rule)) return true;
  if (!rule.starts_with(kAnyLabel)) return false;
  const std::string_view suffix = rule.substr(1);  // ".example.com"
  const size_t dot = name.find('.');
  return dot != 0 && dot != std::string_view::npos &&
         EqualsIgnoringCase(name.substr(dot), suffix);
}

std::string WhyNoNameRule(std::string_view rule) {
  if (rule.find("://") != std::string_view::npos) {
    const bool visible =
        std::all_of(rule.begin(), rule.end(),
                    [](unsigned char c) { return c > ' ' && c < 0x7F; });
    if (visible && rule.find('*') == std::string_view::npos) return "";
    return "is no URI, expected one such as spiffe://cluster/ns/a/sa/b, "
           "without *";
  }
  const std::string_view host =
      rule.starts_with(kAnyLabel) ? rule.substr(kAnyLabel.size()) : rule;
  if (IsHostName(host)) return "";
  return "is no name of a certificate, expected a DNS name, *.name or a URI";
}

bool IsIpAddress(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  return inet_pton(AF_INET, host.c_str(), address.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
}

}  // namespace bandit::tls

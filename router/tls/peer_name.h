// SPDX-License-Identifier: Apache-2.0
// Which names a certificate has, and whether one of them is allowed.
//
// Only subject alternative names count; the common name has been out of use
// for names since RFC 6125.
#ifndef BANDIT_ROUTER_TLS_PEER_NAME_H_
#define BANDIT_ROUTER_TLS_PEER_NAME_H_

#include <string>
#include <string_view>
#include <vector>

#include "router/tls/openssl.h"

namespace bandit::tls {

// DNS names, URIs and IP addresses, in the certificate's order.
std::vector<std::string> NamesOf(X509& certificate);

// Whether the certificate is for the server `host`, a DNS name or an IP
// address; a certificate's own `*.` stands for one label.
bool IsForHost(X509& certificate, const std::string& host);

// Whether one of the certificate's DNS names or URIs is `rule`. A rule
// `*.example.com` takes a DNS name with exactly one label more, and
// `*.example.com` itself. DNS names are compared without regard to case, URIs
// exactly.
bool HasName(X509& certificate, std::string_view rule);

// Whether the DNS name `name` is what `rule` takes.
bool DnsNameFits(std::string_view name, std::string_view rule);

// What is wrong with `rule`, "is ..., expected ..."; empty if nothing is.
std::string WhyNoNameRule(std::string_view rule);

bool IsIpAddress(const std::string& host);

}  // namespace bandit::tls

#endif  // BANDIT_ROUTER_TLS_PEER_NAME_H_

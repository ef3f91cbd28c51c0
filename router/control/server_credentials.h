// SPDX-License-Identifier: Apache-2.0
// The control server's ports: cleartext or TLS, each call let in by Access.
#ifndef BANDIT_ROUTER_CONTROL_SERVER_CREDENTIALS_H_
#define BANDIT_ROUTER_CONTROL_SERVER_CREDENTIALS_H_

#include <memory>

#include "grpcpp/security/server_credentials.h"
#include "router/control/access.h"
#include "router/tls/credentials.h"

namespace bandit::control {

// In cleartext.   Ownership: borrows `access` until the server has shut down.
std::shared_ptr<grpc::ServerCredentials> CleartextCredentials(
    const Access* access, Access::Door door);

// As `control_tls` has it; every handshake takes the newest of
// tls->control(), which must not be null.
// Ownership: borrows both until the server has shut down; the caller keeps the
// result until then.
std::shared_ptr<grpc::ServerCredentials> TlsCredentials(
    const Access* access, const tls::Credentials* tls);

// gRPC 1.51 speaks TLS 1.2 and 1.3 and has no bound of its own. For the whole
// process, and before gRPC's first use of TLS: leaves 1.2 no cipher.
void RequireTls13();

}  // namespace bandit::control

#endif  // BANDIT_ROUTER_CONTROL_SERVER_CREDENTIALS_H_

// SPDX-License-Identifier: Apache-2.0
// Tells the service manager how the router is, as sd_notify(3) describes.
#ifndef BANDIT_ROUTER_SERVICE_MANAGER_H_
#define BANDIT_ROUTER_SERVICE_MANAGER_H_

#include <string_view>

namespace bandit {

// Sends `state` ("READY=1", lines of variables) as one datagram to the socket
// that $NOTIFY_SOCKET names: a path, or `@` and an abstract name. Without one,
// or if nobody listens there, nothing happens: who does not wait for it needs
// no answer.
// Thread-safety: any thread may call, while nobody changes the environment.
// Cost: never blocks.
void TellServiceManager(std::string_view state);

}  // namespace bandit

#endif  // BANDIT_ROUTER_SERVICE_MANAGER_H_

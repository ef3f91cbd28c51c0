// SPDX-License-Identifier: Apache-2.0
// How a call ended, in a word: a gRPC status by its name ("OK"), any other
// HTTP status as "HTTP_404".
#ifndef BANDIT_ROUTER_OBSERVE_CODE_NAME_H_
#define BANDIT_ROUTER_OBSERVE_CODE_NAME_H_

#include <string>

namespace bandit::observe {

std::string CodeName(int code);

}  // namespace bandit::observe

#endif  // BANDIT_ROUTER_OBSERVE_CODE_NAME_H_

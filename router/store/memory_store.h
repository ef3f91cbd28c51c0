// SPDX-License-Identifier: Apache-2.0
// A StateStore that forgets at exit: for trials, demos and tests.
#ifndef BANDIT_ROUTER_STORE_MEMORY_STORE_H_
#define BANDIT_ROUTER_STORE_MEMORY_STORE_H_

#include <memory>

#include "router/store/state_store.h"

namespace bandit::store {

std::unique_ptr<StateStore> MakeMemoryStore();

}  // namespace bandit::store

#endif  // BANDIT_ROUTER_STORE_MEMORY_STORE_H_

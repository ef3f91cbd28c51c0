// SPDX-License-Identifier: Apache-2.0
// Finds what a stand-in stands before.
#ifndef BANDIT_CMAKE_TSAN_SHARED_SYMBOL_H_
#define BANDIT_CMAKE_TSAN_SHARED_SYMBOL_H_

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>

namespace bandit::tsan {

// The function of the shared library that the caller stands before.
template <typename Function>
Function* Next(const char* symbol) {
  void* found = dlsym(RTLD_NEXT, symbol);
  if (found == nullptr) {
    std::fprintf(stderr, "cmake/tsan: no symbol %s\n", symbol);
    std::abort();
  }
  return reinterpret_cast<Function*>(found);
}

}  // namespace bandit::tsan

#endif  // BANDIT_CMAKE_TSAN_SHARED_SYMBOL_H_

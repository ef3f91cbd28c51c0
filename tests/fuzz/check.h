// SPDX-License-Identifier: Apache-2.0
// What a fuzzer asserts, in every build: fuzzers run optimized.
#ifndef BANDIT_TESTS_FUZZ_CHECK_H_
#define BANDIT_TESTS_FUZZ_CHECK_H_

#include <cstdio>
#include <cstdlib>

#define FUZZ_CHECK(condition)                                           \
  do {                                                                  \
    if (!(condition)) {                                                 \
      std::fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, \
                   #condition);                                         \
      std::abort();                                                     \
    }                                                                   \
  } while (false)

#endif  // BANDIT_TESTS_FUZZ_CHECK_H_

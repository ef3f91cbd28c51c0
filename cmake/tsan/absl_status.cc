// SPDX-License-Identifier: Apache-2.0
// Tells the thread sanitizer what the reference count of a status orders.
//
// As absl_mutex.cc: the count is in Debian's library, built without the
// sanitizer, so the last holder's delete would look like a race with what the
// earlier holders read.
#include <sanitizer/tsan_interface.h>

#include <cstdint>

#include "absl/status/status.h"
#include "cmake/tsan/shared_symbol.h"

namespace absl {
ABSL_NAMESPACE_BEGIN

void Status::UnrefNonInlined(uintptr_t rep) {
  static auto* const next = ::bandit::tsan::Next<void(uintptr_t)>(
      "_ZN4absl7debian36Status15UnrefNonInlinedEm");
  // An address within the representation, which goes with it.
  void* const at = reinterpret_cast<void*>(rep);
  __tsan_release(at);
  __tsan_acquire(at);
  next(rep);
}

ABSL_NAMESPACE_END
}  // namespace absl

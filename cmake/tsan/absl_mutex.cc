// SPDX-License-Identifier: Apache-2.0
// Tells the thread sanitizer what Abseil's mutexes order.
//
// Debian's Abseil is built without the sanitizer, so every absl::Mutex would
// look like no lock at all and all that it guards like a race. In the tsan
// preset each program gets this file: it stands in for the locking functions
// of the shared library, says to the sanitizer what happens, and calls on.
// What Abseil does between the marks, conditions included, is not watched.
//
// Restriction: Await and CondVar waits are taken to hold the lock exclusively.
#include <sanitizer/tsan_interface.h>

#include "absl/synchronization/mutex.h"
#include "cmake/tsan/shared_symbol.h"

namespace {

// Marks the taking of a lock for the length of a scope.
class Taking {
 public:
  Taking(void* mutex, unsigned flags) : mutex_(mutex), flags_(flags) {
    __tsan_mutex_pre_lock(mutex_, flags_);
  }
  ~Taking() { __tsan_mutex_post_lock(mutex_, flags_, 0); }
  void Failed() { flags_ |= __tsan_mutex_try_lock_failed; }

 private:
  void* mutex_;
  unsigned flags_;
};

// Marks the giving back of a lock for the length of a scope.
class Giving {
 public:
  Giving(void* mutex, unsigned flags) : mutex_(mutex), flags_(flags) {
    __tsan_mutex_pre_unlock(mutex_, flags_);
  }
  ~Giving() { __tsan_mutex_post_unlock(mutex_, flags_); }

 private:
  void* mutex_;
  unsigned flags_;
};

// Marks a wait: the lock is given back, and taken again at the end.
class Waiting {
 public:
  explicit Waiting(void* mutex) : given_(mutex), taking_(mutex, 0) {}

 private:
  struct Given {
    explicit Given(void* mutex) { Giving give(mutex, 0); }
  };
  Given given_;
  Taking taking_;
};

constexpr unsigned kRead = __tsan_mutex_read_lock;
constexpr unsigned kTry = __tsan_mutex_try_lock;

}  // namespace

// The symbols are those of Debian 12's library, whose inline namespace is
// `debian3`.
#define BANDIT_NEXT(symbol, ...) \
  static auto* const next =      \
      ::bandit::tsan::Next<__VA_ARGS__>("_ZN4absl7debian3" symbol)

// The variants with a timeout are not here: the library makes a deadline of it
// and calls the variants with one, through these.
namespace absl {
ABSL_NAMESPACE_BEGIN

void Mutex::Lock() {
  BANDIT_NEXT("5Mutex4LockEv", void(Mutex*));
  Taking taking(this, 0);
  next(this);
}

void Mutex::Unlock() {
  BANDIT_NEXT("5Mutex6UnlockEv", void(Mutex*));
  Giving giving(this, 0);
  next(this);
}

bool Mutex::TryLock() {
  BANDIT_NEXT("5Mutex7TryLockEv", bool(Mutex*));
  Taking taking(this, kTry);
  const bool taken = next(this);
  if (!taken) taking.Failed();
  return taken;
}

void Mutex::ReaderLock() {
  BANDIT_NEXT("5Mutex10ReaderLockEv", void(Mutex*));
  Taking taking(this, kRead);
  next(this);
}

void Mutex::ReaderUnlock() {
  BANDIT_NEXT("5Mutex12ReaderUnlockEv", void(Mutex*));
  Giving giving(this, kRead);
  next(this);
}

bool Mutex::ReaderTryLock() {
  BANDIT_NEXT("5Mutex13ReaderTryLockEv", bool(Mutex*));
  Taking taking(this, kRead | kTry);
  const bool taken = next(this);
  if (!taken) taking.Failed();
  return taken;
}

void Mutex::LockWhen(const Condition& condition) {
  BANDIT_NEXT("5Mutex8LockWhenERKNS0_9ConditionE",
              void(Mutex*, const Condition&));
  Taking taking(this, 0);
  next(this, condition);
}

bool Mutex::LockWhenWithDeadline(const Condition& condition, Time deadline) {
  BANDIT_NEXT("5Mutex20LockWhenWithDeadlineERKNS0_9ConditionENS0_4TimeE",
              bool(Mutex*, const Condition&, Time));
  Taking taking(this, 0);
  return next(this, condition, deadline);
}

void Mutex::Await(const Condition& condition) {
  BANDIT_NEXT("5Mutex5AwaitERKNS0_9ConditionE", void(Mutex*, const Condition&));
  Waiting waiting(this);
  next(this, condition);
}

bool Mutex::AwaitWithDeadline(const Condition& condition, Time deadline) {
  BANDIT_NEXT("5Mutex17AwaitWithDeadlineERKNS0_9ConditionENS0_4TimeE",
              bool(Mutex*, const Condition&, Time));
  Waiting waiting(this);
  return next(this, condition, deadline);
}

void CondVar::Wait(Mutex* mutex) {
  BANDIT_NEXT("7CondVar4WaitEPNS0_5MutexE", void(CondVar*, Mutex*));
  Waiting waiting(mutex);
  next(this, mutex);
}

bool CondVar::WaitWithDeadline(Mutex* mutex, Time deadline) {
  BANDIT_NEXT("7CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE",
              bool(CondVar*, Mutex*, Time));
  Waiting waiting(mutex);
  return next(this, mutex, deadline);
}

ABSL_NAMESPACE_END
}  // namespace absl

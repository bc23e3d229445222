// The contended half of `Synchronization.Mutex`, as ThreadSanitizer has to see it.
//
// On Linux a Mutex is a futex with priority inheritance (FUTEX_LOCK_PI). When no thread waits, lock and unlock are one
// compare-and-swap each, inlined into our code and instrumented with it. When a thread does, they are `_lockSlow` and
// `_unlockSlow` of libswiftSynchronization, which is not instrumented: its compare-and-swap, and the kernel that hands
// the word over, are invisible. So the sanitizer sees two threads in the same critical section with nothing between
// them, and reports what every contended Mutex guards (Swift 6.3.1; ten lines are enough).
//
// Here the calls go through us, and the sanitizer is told what is true: who comes out of the slow lock has everything
// that was done before the unlock of this same Mutex. `__tsan_acquire` and `__tsan_release` use the clock of the word's
// address, which the instrumented compare-and-swap uses, too, so slow and fast halves meet. Nothing is suppressed:
// data that is guarded by another Mutex, or by none, is reported as before (ThreadSanitizerTests).
//
// An executable's own definition wins over a shared library's, so linking this file is enough, except with a runtime
// that is linked in statically. The real ones are the next in the search order. Darwin's Mutex is os_unfair_lock, which
// the sanitizer knows.
#if __has_feature(thread_sanitizer) && defined(__linux__)

#define _GNU_SOURCE
#include <dlfcn.h>
#include <sanitizer/tsan_interface.h>
#include <stdbool.h>
#include <stdint.h>

// Swift's calling convention: `self` is in the context register.
#define SWIFT_METHOD __attribute__((swiftcall))
#define SELF __attribute__((swift_context)) void *word

// Synchronization._MutexHandle: _lockSlow(_ ownThread: UInt32), _tryLockSlow() -> Bool, _unlockSlow()
#define LOCK_SLOW "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define TRY_LOCK_SLOW "$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF"
#define UNLOCK_SLOW "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

SWIFT_METHOD void cts_lock_slow(uint32_t own_thread, SELF) __asm__(LOCK_SLOW);
SWIFT_METHOD bool cts_try_lock_slow(SELF) __asm__(TRY_LOCK_SLOW);
SWIFT_METHOD void cts_unlock_slow(SELF) __asm__(UNLOCK_SLOW);

static SWIFT_METHOD void (*lock_slow)(uint32_t own_thread, SELF);
static SWIFT_METHOD bool (*try_lock_slow)(SELF);
static SWIFT_METHOD void (*unlock_slow)(SELF);

// Another toolchain may have other names: then ours are not called, and the tests notice it. Found before `main`, while
// there is one thread.
__attribute__((constructor)) static void find_the_real_ones(void) {
    lock_slow = (SWIFT_METHOD void (*)(uint32_t, SELF))dlsym(RTLD_NEXT, LOCK_SLOW);
    try_lock_slow = (SWIFT_METHOD bool (*)(SELF))dlsym(RTLD_NEXT, TRY_LOCK_SLOW);
    unlock_slow = (SWIFT_METHOD void (*)(SELF))dlsym(RTLD_NEXT, UNLOCK_SLOW);
}

SWIFT_METHOD void cts_lock_slow(uint32_t own_thread, SELF) {
    lock_slow(own_thread, word);
    __tsan_acquire(word);
}

SWIFT_METHOD bool cts_try_lock_slow(SELF) {
    bool locked = try_lock_slow(word);
    if (locked) __tsan_acquire(word);
    return locked;
}

// Before the real one: afterwards the next owner may be inside already, or the Mutex gone.
SWIFT_METHOD void cts_unlock_slow(SELF) {
    __tsan_release(word);
    unlock_slow(word);
}

#endif

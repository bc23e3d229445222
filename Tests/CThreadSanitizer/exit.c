// `_exit` as its manual page has it, under ThreadSanitizer.
//
// The sanitizer's own `_exit` first sleeps for a second, so that a race at the end can still happen, and then flushes
// the standard streams. Both break what our last rung is for: it leaves in time, also when a thread that logs holds the
// lock of a standard error without a reader (BlockedPoolTests). This one waits for a report that is being written, as
// the sanitizer's does, and ends the process, with the code of a program that was reported when it was. `exit` stays
// the sanitizer's.
#if __has_feature(thread_sanitizer) && defined(__linux__)

#define _GNU_SOURCE
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

// The sanitizer's default, `exitcode`.
#define REPORTED 66

static atomic_bool was_reported;

// Called by the sanitizer with each report.
void __tsan_on_report(void *report);
void __tsan_on_report(void *report) {
    (void)report;
    atomic_store_explicit(&was_reported, 1, memory_order_relaxed);
}

// __sanitizer::ScopedErrorReportLock::Lock() and Unlock(); weak, since no header promises them.
void cts_report_begins(void) __asm__("_ZN11__sanitizer21ScopedErrorReportLock4LockEv") __attribute__((weak));
void cts_report_ends(void) __asm__("_ZN11__sanitizer21ScopedErrorReportLock6UnlockEv") __attribute__((weak));

void _exit(int code) {
    if (cts_report_begins && cts_report_ends) {
        cts_report_begins();
        cts_report_ends();
    }
    if (atomic_load_explicit(&was_reported, memory_order_relaxed)) code = REPORTED;
    for (;;) syscall(SYS_exit_group, code);
}

#endif

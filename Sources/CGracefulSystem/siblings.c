#define _GNU_SOURCE
#include "include/processes.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>
#ifdef __linux__
#include <sched.h>
#include <sys/syscall.h>
#endif

#if defined(__linux__) && defined(SYS_clone) && !defined(__s390__)

#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x00001000
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif

// In the child there is this one thread, and whatever another one had locked stays locked: nothing but system calls, not
// even through the functions of libc, which a sanitizer replaces by its own.
#define IN_CHILD __attribute__((noinline, disable_sanitizer_instrumentation))

IN_CHILD static void close_others(const struct cgs_spawn *what, int report) {
    unsigned next = 3;
    for (;;) {
        unsigned lowest = (unsigned)report;
        for (size_t i = 0; i < what->descriptor_pairs; i++) {
            unsigned number = (unsigned)what->descriptors[2 * i + 1];
            if (number >= next && number < lowest) lowest = number;
        }
        // Linux 5.9; the caller has asked for it. Nothing that is open is left without this.
        if (next < lowest) syscall(SYS_close_range, next, lowest - 1, 0);
        next = lowest + 1;
        if (lowest == (unsigned)report) break;
    }
    syscall(SYS_close_range, next, ~0U, 0);
}

// Returns only when it failed, errno.
IN_CHILD static int become(const struct cgs_spawn *what, int report) {
    // All zero is SIG_DFL without flags, and the empty set, whatever the order of the fields on this machine. SIGKILL and
    // SIGSTOP are refused.
    static const unsigned long zero[16];
    for (int number = 1; number < _NSIG; number++) syscall(SYS_rt_sigaction, number, zero, NULL, _NSIG / 8);
    if (syscall(SYS_setpgid, 0, 0) < 0) return errno;
    for (size_t i = 0; i < what->descriptor_pairs; i++)
        if (syscall(SYS_dup3, what->descriptors[2 * i], what->descriptors[2 * i + 1], 0) < 0) return errno;
    close_others(what, report);
    if (what->directory && syscall(SYS_chdir, what->directory) < 0) return errno;
    // Not before no handler of ours is left: it would write to descriptors that this process shares.
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, zero, NULL, _NSIG / 8);
    syscall(SYS_execve, what->path, what->arguments, what->environment);
    return errno;
}

IN_CHILD static void child(const struct cgs_spawn *what, int report) {
    int failed = become(what, report);
    syscall(SYS_write, report, &failed, sizeof failed);
    for (;;) syscall(SYS_exit_group, 127);
}

// Above every number that the child is to have: its dup3s cannot overwrite it.
static int report_pipe(const struct cgs_spawn *what, int ends[2]) {
    int floor = 3;
    for (size_t i = 0; i < what->descriptor_pairs; i++)
        if (what->descriptors[2 * i + 1] >= floor) floor = what->descriptors[2 * i + 1] + 1;
    int both[2];
    // Not blocking: another thread of this process may fork, and its child keep the other end.
    if (pipe2(both, O_CLOEXEC | O_NONBLOCK) < 0) return -errno;
    int high = fcntl(both[1], F_DUPFD_CLOEXEC, floor);
    int failed = high < 0 ? errno : 0;
    close(both[1]);
    if (failed) {
        close(both[0]);
        return -failed;
    }
    ends[0] = both[0];
    ends[1] = high;
    return 0;
}

int cgs_spawn_sibling(const struct cgs_spawn *what, int *pidfd) {
    // Does nothing but say whether there is such a call.
    if (syscall(SYS_close_range, ~0U, ~0U, 0) < 0 && errno == ENOSYS) return -ENOSYS;
    int report[2];
    int piped = report_pipe(what, report);
    if (piped < 0) return piped;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    *pidfd = -1;
    // Without CLONE_VM: the two would run on one stack. CLONE_VFORK returns when the child has a program of its own or has
    // ended; so the report is there, or there is none.
    long pid = syscall(SYS_clone, (unsigned long)(CLONE_PARENT | CLONE_VFORK | CLONE_PIDFD), NULL, pidfd, NULL, NULL);
    int failed = errno;
    if (pid == 0) child(what, report[1]);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(report[1]);
    if (pid > 0) {
        int reported = 0;
        ssize_t count = read(report[0], &reported, sizeof reported);
        failed = count == (ssize_t)sizeof reported ? reported : 0;
        if (failed && *pidfd >= 0) close(*pidfd);
    }
    close(report[0]);
    return pid < 0 || failed ? -failed : (int)pid;
}

#else

int cgs_spawn_sibling(const struct cgs_spawn *what, int *pidfd) {
    (void)what;
    (void)pidfd;
    return -ENOSYS;
}

#endif

#define _GNU_SOURCE
#include "include/processes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

#define RESULT(call) ({ __typeof__(call) r_ = (call); r_ < 0 ? -errno : r_; })

// After the dup2s: whatever else is open without close-on-exec (NIO's epoll descriptors are) stays here. Without
// posix_spawn_file_actions_addclosefrom_np (glibc 2.34) only close-on-exec keeps it.
static int close_others(posix_spawn_file_actions_t *actions, const struct cgs_spawn *what) {
#if defined(__GLIBC__) && (__GLIBC__ > 2 || (__GLIBC__ == 2 && __GLIBC_MINOR__ >= 34))
    int next = 3;
    for (;;) {
        int lowest = -1;
        for (size_t i = 0; i < what->descriptor_pairs; i++) {
            int number = what->descriptors[2 * i + 1];
            if (number >= next && (lowest < 0 || number < lowest)) lowest = number;
        }
        if (lowest < 0) return posix_spawn_file_actions_addclosefrom_np(actions, next);
        for (; next < lowest; next++) {
            int failed = posix_spawn_file_actions_addclose(actions, next);
            if (failed) return failed;
        }
        next = lowest + 1;
    }
#else
    (void)actions;
    (void)what;
    return 0;
#endif
}

int cgs_spawn(const struct cgs_spawn *what) {
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
    int failed = posix_spawnattr_init(&attributes);
    if (failed) return -failed;
    failed = posix_spawn_file_actions_init(&actions);
    if (failed) {
        posix_spawnattr_destroy(&attributes);
        return -failed;
    }
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    for (size_t i = 0; i < what->descriptor_pairs && !failed; i++)
        failed = posix_spawn_file_actions_adddup2(&actions, what->descriptors[2 * i], what->descriptors[2 * i + 1]);
    if (!failed) failed = close_others(&actions, what);
#if defined(__linux__) || defined(__APPLE__)
    if (!failed && what->directory) failed = posix_spawn_file_actions_addchdir_np(&actions, what->directory);
#endif
    pid_t pid = 0;
    if (!failed) failed = posix_spawn(&pid, what->path, &actions, &attributes, what->arguments, what->environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return failed ? -failed : (int)pid;
}

int cgs_pidfd_open(int32_t pid) {
#ifdef __linux__
    return (int)RESULT(syscall(SYS_pidfd_open, pid, 0));
#else
    (void)pid;
    return -ENOSYS;
#endif
}

int cgs_pidfd_signal(int pidfd, int signal) {
#ifdef __linux__
    return (int)RESULT(syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0));
#else
    (void)pidfd;
    (void)signal;
    return -ENOSYS;
#endif
}

int cgs_kill(int32_t pid, int signal) { return RESULT(kill(pid, signal)); }

int32_t cgs_process_id(void) { return (int32_t)getpid(); }

int32_t cgs_parent_process_id(void) { return (int32_t)getppid(); }

int cgs_become_subreaper(void) {
#ifdef __linux__
    return RESULT(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
#else
    return -ENOSYS;
#endif
}

static int waited(idtype_t type, id_t id, int options, struct cgs_exit *how) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    if (waitid(type, id, &info, options) < 0) return -errno;
    how->pid = (int32_t)info.si_pid;
    how->code = info.si_status;
    how->signaled = info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED;
    return 0;
}

int cgs_reap(int32_t pid, struct cgs_exit *how) { return waited(P_PID, (id_t)pid, WEXITED | WNOHANG, how); }

int cgs_reap_waiting(int32_t pid, struct cgs_exit *how) { return waited(P_PID, (id_t)pid, WEXITED, how); }

int cgs_executable(const char *path) {
    struct stat found;
    if (stat(path, &found) < 0) return -errno;
    if (!S_ISREG(found.st_mode)) return -EACCES;
    return RESULT(faccessat(AT_FDCWD, path, X_OK, AT_EACCESS));
}

static int numbers_in(const char *directory, long least, int32_t *numbers, size_t room) {
    DIR *all = opendir(directory);
    if (!all) return -errno;
    size_t count = 0;
    for (struct dirent *entry; count < room && (entry = readdir(all));) {
        char *end;
        long number = strtol(entry->d_name, &end, 10);
        if (*end == 0 && end != entry->d_name && number >= least) numbers[count++] = (int32_t)number;
    }
    closedir(all);
    return (int)count;
}

int cgs_processes(int32_t *pids, size_t room) { return numbers_in("/proc", 1, pids, room); }

int cgs_threads(int32_t *numbers, size_t room) { return numbers_in("/proc/self/task", 1, numbers, room); }

int cgs_descriptors(int32_t *numbers, size_t room) { return numbers_in("/proc/self/fdinfo", 0, numbers, room); }

int cgs_peek_exited(struct cgs_exit *how) { return waited(P_ALL, 0, WEXITED | WNOHANG | WNOWAIT, how); }

extern char **environ;

char *const *cgs_environment(void) { return environ; }

int cgs_working_directory(char *path, size_t length) { return getcwd(path, length) ? 0 : -errno; }

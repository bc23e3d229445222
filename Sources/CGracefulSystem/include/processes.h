#ifndef CGRACEFULSYSTEM_PROCESSES_H
#define CGRACEFULSYSTEM_PROCESSES_H

#include <stddef.h>
#include <stdint.h>

struct cgs_spawn {
    const char *path;         // an executable; no search along PATH
    char *const *arguments;   // ends with NULL
    char *const *environment; // ends with NULL
    const char *directory;    // NULL: the caller's
    const int *descriptors;   // pairs: ours, the number that it has in the child
    size_t descriptor_pairs;
};
// posix_spawn(3): an empty signal mask, default dispositions, a process group of its own; every descriptor that is
// not named is closed in the child, and 0, 1, 2 stay as they are unless they are named.
// Returns the process id.
int cgs_spawn(const struct cgs_spawn *what);
// The same with clone(2) and CLONE_PARENT: the new process is a child of this one's parent, and its status that one's to
// take. `pidfd` (close-on-exec) stands for it. Each of our numbers must be above all of
// the child's.
// It copies the page tables, which posix_spawn does not. -ENOSYS before Linux 5.9 (close_range), and elsewhere.
int cgs_spawn_sibling(const struct cgs_spawn *what, int *pidfd);

int cgs_pidfd_open(int32_t pid);
int cgs_pidfd_signal(int pidfd, int signal);
int cgs_kill(int32_t pid, int signal);
int32_t cgs_process_id(void);
int32_t cgs_parent_process_id(void);
// prctl(PR_SET_CHILD_SUBREAPER).
int cgs_become_subreaper(void);

// 0 when `path` is a regular file that the effective user may execute; -EACCES for a directory.
int cgs_executable(const char *path);
// The numeric entries of /proc, at most `room`; returns how many were written.
int cgs_processes(int32_t *pids, size_t room);
// The threads of this process.
int cgs_threads(int32_t *numbers, size_t room);
// The entries of /proc/self/fdinfo, the one that this opens meanwhile among them.
int cgs_descriptors(int32_t *numbers, size_t room);

struct cgs_exit {
    int32_t pid;     // 0: none has ended
    int32_t code;    // the exit status, or the number of the signal
    int32_t signaled; // 1 when a signal ended it
};
// waitid(2) with WNOHANG for one child. pid 0 in the answer: it still runs.
int cgs_reap(int32_t pid, struct cgs_exit *how);
// The same without WNOHANG: only for a child that was sent SIGKILL.
int cgs_reap_waiting(int32_t pid, struct cgs_exit *how);
// Which child has ended, without taking its status (WNOWAIT); pid 0 in the answer: none.
int cgs_peek_exited(struct cgs_exit *how);

// environ(7); another thread that calls setenv meanwhile is the program's own mistake.
char *const *cgs_environment(void);
int cgs_working_directory(char *path, size_t length);

#endif

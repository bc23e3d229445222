#ifndef CGRACEFULSYSTEM_DESCRIPTORS_H
#define CGRACEFULSYSTEM_DESCRIPTORS_H

#include <stddef.h>
#include <stdint.h>

int cgs_close(int fd);
// F_DUPFD_CLOEXEC with the lowest number that is free from 3 on.
int cgs_duplicate(int fd);
// The same from `lowest` on.
int cgs_duplicate_above(int fd, int lowest);
int cgs_set_nonblocking(int fd);
// FD_CLOEXEC: the flags of a descriptor have no other (fcntl(2)).
int cgs_close_on_exec(int fd);
long cgs_read(int fd, void *buffer, size_t count);
long cgs_write(int fd, const void *buffer, size_t count);

// open(2) with O_CLOEXEC | O_NOFOLLOW | O_CREAT | O_RDWR, mode 0600.
int cgs_open_private(const char *path);
// open(2) with O_PATH | O_NOFOLLOW | O_CLOEXEC: it stands for what is at the path and keeps its inode's number from being
// given to another file, though it be removed. -ENOSYS where there is no such thing.
int cgs_open_path(const char *path);
// flock(2), exclusive, without waiting.
int cgs_try_lock(int fd);

struct cgs_file_status {
    uint64_t device;
    uint64_t inode;
    uint32_t mode;
    uint32_t user;
    uint64_t links; // how many names it has
    int64_t changed_seconds;
    int64_t changed_nanoseconds;
    int64_t born_seconds; // both 0 where the file system does not say
    int64_t born_nanoseconds;
};
// lstat(2): a link is reported as a link.
int cgs_link_status(const char *path, struct cgs_file_status *status);
int cgs_descriptor_status(int fd, struct cgs_file_status *status);
int cgs_unlink(const char *path);
// rename(2): replaces what is there, at once.
int cgs_rename(const char *from, const char *to);
int cgs_make_directory(const char *path, uint32_t mode);
// Unlinks the files in a directory, then removes it; -ENOTEMPTY when it holds another directory.
int cgs_remove_directory(const char *path);
// 1 when the descriptor is a terminal.
int cgs_is_terminal(int fd);
// How many lines and columns the terminal has (TIOCGWINSZ); 0 where it does not say.
int cgs_terminal_size(int fd, int *lines, int *columns);
// A pseudo-terminal: its controlling end and its terminal, both close-on-exec. It becomes the controlling terminal of no process.
int cgs_open_terminal(int ends[2]);
uint32_t cgs_effective_user(void);

// A pair of connected pipe ends, close-on-exec and non-blocking.
int cgs_pipe(int ends[2]);

struct cgs_poll {
    int fd;
    int16_t wanted;
    int16_t happened;
};
#define CGS_POLL_IN 1
#define CGS_POLL_OUT 2
#define CGS_POLL_HANGUP 4
#define CGS_POLL_ERROR 8
#define CGS_POLL_INVALID 16
// poll(2). A negative timeout waits for ever.
int cgs_poll(struct cgs_poll *entries, size_t count, int timeout_milliseconds);

// CLOCK_MONOTONIC in nanoseconds.
int64_t cgs_monotonic_nanoseconds(void);
// CLOCK_REALTIME in milliseconds since 1970, rounded down.
int64_t cgs_wall_milliseconds(void);

// How many descriptors this process may have open (RLIMIT_NOFILE, soft).
int64_t cgs_descriptor_limit(void);

#endif

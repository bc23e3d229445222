#ifndef CGRACEFULSYSTEM_WATCHING_H
#define CGRACEFULSYSTEM_WATCHING_H

#include <stddef.h>
#include <stdint.h>

// inotify_init1(2), close-on-exec and non-blocking. -ENOSYS where there is no inotify.
int cgs_inotify(void);
// inotify_add_watch(2) for a directory: what comes into it, leaves it, or gets other permissions, and its own end.
// Returns the number of the watch.
int cgs_inotify_watch(int fd, const char *directory);
int cgs_inotify_unwatch(int fd, int watch);
// What of an event's mask says that the directory itself has gone (IN_DELETE_SELF, IN_MOVE_SELF, IN_IGNORED,
// IN_UNMOUNT), or that events were lost (IN_Q_OVERFLOW).
uint32_t cgs_inotify_ends(void);
// What of an event's mask says that an entry has come into it (IN_CREATE, IN_MOVED_TO).
uint32_t cgs_inotify_arrives(void);
// The names in a directory that begin with `prefix`, a zero byte behind each, as many as there is room for.
// Returns how many bytes that is.
int cgs_entries(const char *directory, const char *prefix, uint8_t *names, size_t room);

// open(2) with O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC: a file that was not there.
int cgs_create_file(const char *path, uint32_t mode);
// mknod(2) of an empty regular file that is not there: it takes no descriptor. -EPERM where only root may.
int cgs_make_file(const char *path, uint32_t mode);
// open(2) with O_NOFOLLOW | O_NONBLOCK | O_RDONLY | O_CLOEXEC: never waits for the other end of a FIFO.
int cgs_open_to_read(const char *path);
// faccessat(2), W_OK and X_OK with the effective user: whether entries of this directory may be made and removed.
int cgs_may_change_entries(const char *directory);

// CLOCK_REALTIME in nanoseconds since 1970.
int64_t cgs_wall_nanoseconds(void);
// CLOCK_BOOTTIME in nanoseconds: the clock of a process's start in proc_pid_stat(5). -ENOSYS where there is none.
int64_t cgs_boot_nanoseconds(void);
// sysconf(_SC_CLK_TCK): the unit of that.
int64_t cgs_ticks_a_second(void);

#endif

#define _GNU_SOURCE
#include "include/descriptors.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#ifdef __linux__
#include <sys/sysmacros.h>
#endif
#include <time.h>
#include <unistd.h>

#define RESULT(call) ({ __typeof__(call) r_ = (call); r_ < 0 ? -errno : r_; })

int cgs_close(int fd) { return RESULT(close(fd)); }

int cgs_duplicate(int fd) { return RESULT(fcntl(fd, F_DUPFD_CLOEXEC, 3)); }

int cgs_duplicate_above(int fd, int lowest) { return RESULT(fcntl(fd, F_DUPFD_CLOEXEC, lowest)); }

int cgs_close_on_exec(int fd) { return RESULT(fcntl(fd, F_SETFD, FD_CLOEXEC)); }

int cgs_set_nonblocking(int fd) {
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0) return -errno;
    if (flags & O_NONBLOCK) return 0;
    return RESULT(fcntl(fd, F_SETFL, flags | O_NONBLOCK));
}

long cgs_read(int fd, void *buffer, size_t count) { return RESULT(read(fd, buffer, count)); }

long cgs_write(int fd, const void *buffer, size_t count) { return RESULT(write(fd, buffer, count)); }

int cgs_open_private(const char *path) {
    return RESULT(open(path, O_CLOEXEC | O_NOFOLLOW | O_CREAT | O_RDWR | O_NONBLOCK, 0600));
}

int cgs_open_path(const char *path) {
#ifdef O_PATH
    return RESULT(open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC));
#else
    (void)path;
    return -ENOSYS;
#endif
}

int cgs_try_lock(int fd) { return RESULT(flock(fd, LOCK_EX | LOCK_NB)); }

static void fill(struct cgs_file_status *status, const struct stat *from) {
    status->device = (uint64_t)from->st_dev;
    status->inode = (uint64_t)from->st_ino;
    status->mode = (uint32_t)from->st_mode;
    status->user = (uint32_t)from->st_uid;
    status->links = (uint64_t)from->st_nlink;
#ifdef __APPLE__
    status->changed_seconds = from->st_ctimespec.tv_sec;
    status->changed_nanoseconds = from->st_ctimespec.tv_nsec;
#else
    status->changed_seconds = from->st_ctim.tv_sec;
    status->changed_nanoseconds = from->st_ctim.tv_nsec;
#endif
}

#if defined(__linux__) && defined(STATX_BTIME)
// All of it in one call: of a file that is replaced meanwhile the parts would not belong together.
static int fill_at(struct cgs_file_status *status, int directory, const char *path, int flags) {
    struct statx found;
    if (statx(directory, path, flags, STATX_BASIC_STATS | STATX_BTIME, &found) < 0) return -errno;
    status->device = (uint64_t)makedev(found.stx_dev_major, found.stx_dev_minor);
    status->inode = found.stx_ino;
    status->mode = found.stx_mode;
    status->user = found.stx_uid;
    status->links = found.stx_nlink;
    status->changed_seconds = found.stx_ctime.tv_sec;
    status->changed_nanoseconds = found.stx_ctime.tv_nsec;
    if (found.stx_mask & STATX_BTIME) {
        status->born_seconds = found.stx_btime.tv_sec;
        status->born_nanoseconds = found.stx_btime.tv_nsec;
    }
    return 0;
}
#endif

int cgs_link_status(const char *path, struct cgs_file_status *status) {
    struct stat found;
    *status = (struct cgs_file_status){0};
#if defined(__linux__) && defined(STATX_BTIME)
    int result = fill_at(status, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW);
    // A kernel, or a filter of a container, that does not have it.
    if (result != -ENOSYS && result != -EPERM) return result;
#endif
    if (lstat(path, &found) < 0) return -errno;
    fill(status, &found);
    return 0;
}

int cgs_descriptor_status(int fd, struct cgs_file_status *status) {
    struct stat found;
    *status = (struct cgs_file_status){0};
    if (fstat(fd, &found) < 0) return -errno;
    fill(status, &found);
    return 0;
}

int cgs_unlink(const char *path) { return RESULT(unlink(path)); }

int cgs_rename(const char *from, const char *to) { return RESULT(rename(from, to)); }

int cgs_make_directory(const char *path, uint32_t mode) { return RESULT(mkdir(path, (mode_t)mode)); }

int cgs_remove_directory(const char *path) {
    DIR *all = opendir(path);
    if (!all) return -errno;
    for (struct dirent *entry; (entry = readdir(all));) unlinkat(dirfd(all), entry->d_name, 0);
    closedir(all);
    return RESULT(rmdir(path));
}

int cgs_is_terminal(int fd) { return isatty(fd); }

int cgs_terminal_size(int fd, int *lines, int *columns) {
    struct winsize size = {0};
    if (ioctl(fd, TIOCGWINSZ, &size) < 0) return -errno;
    *lines = size.ws_row;
    *columns = size.ws_col;
    return 0;
}

int cgs_open_terminal(int ends[2]) {
    int controller = posix_openpt(O_RDWR | O_NOCTTY);
    if (controller < 0) return -errno;
    int terminal = -1;
    const char *name;
    if (grantpt(controller) == 0 && unlockpt(controller) == 0 && (name = ptsname(controller)) != NULL &&
        fcntl(controller, F_SETFD, FD_CLOEXEC) == 0)
        terminal = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (terminal < 0) {
        int error = errno;
        close(controller);
        return -error;
    }
    ends[0] = controller;
    ends[1] = terminal;
    return 0;
}

uint32_t cgs_effective_user(void) { return (uint32_t)geteuid(); }

int cgs_pipe(int ends[2]) {
#ifdef __linux__
    return RESULT(pipe2(ends, O_CLOEXEC | O_NONBLOCK));
#else
    if (pipe(ends) < 0) return -errno;
    for (int i = 0; i < 2; i++) {
        fcntl(ends[i], F_SETFD, FD_CLOEXEC);
        fcntl(ends[i], F_SETFL, O_NONBLOCK);
    }
    return 0;
#endif
}

int cgs_poll(struct cgs_poll *entries, size_t count, int timeout_milliseconds) {
    struct pollfd few[64];
    struct pollfd *all = few;
    if (count > 64) {
        all = calloc(count, sizeof(struct pollfd));
        if (!all) return -ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        all[i].fd = entries[i].fd;
        all[i].events =
            (short)((entries[i].wanted & CGS_POLL_IN ? POLLIN : 0) | (entries[i].wanted & CGS_POLL_OUT ? POLLOUT : 0));
        all[i].revents = 0;
    }
    int result = RESULT(poll(all, (nfds_t)count, timeout_milliseconds));
    for (size_t i = 0; i < count; i++) {
        short r = result < 0 ? 0 : all[i].revents;
        entries[i].happened =
            (int16_t)((r & POLLIN ? CGS_POLL_IN : 0) | (r & POLLOUT ? CGS_POLL_OUT : 0) |
                      (r & POLLHUP ? CGS_POLL_HANGUP : 0) | (r & POLLERR ? CGS_POLL_ERROR : 0) |
                      (r & POLLNVAL ? CGS_POLL_INVALID : 0));
    }
    if (all != few) free(all);
    return result;
}

int64_t cgs_monotonic_nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t cgs_wall_milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t cgs_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
    return limit.rlim_cur > INT64_MAX ? INT64_MAX : (int64_t)limit.rlim_cur;
}

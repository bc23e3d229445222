#define _GNU_SOURCE
#include "include/watching.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/inotify.h>
#endif

#define RESULT(call) ({ __typeof__(call) r_ = (call); r_ < 0 ? -errno : r_; })

#ifdef __linux__
int cgs_inotify(void) { return RESULT(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)); }

int cgs_inotify_watch(int fd, const char *directory) {
    return RESULT(inotify_add_watch(fd, directory,
                                    IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB | IN_MODIFY |
                                        IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR));
}

int cgs_inotify_unwatch(int fd, int watch) { return RESULT(inotify_rm_watch(fd, watch)); }

uint32_t cgs_inotify_ends(void) { return IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT | IN_Q_OVERFLOW; }

uint32_t cgs_inotify_arrives(void) { return IN_CREATE | IN_MOVED_TO; }
#else
int cgs_inotify(void) { return -ENOSYS; }

int cgs_inotify_watch(int fd, const char *directory) {
    (void)fd;
    (void)directory;
    return -ENOSYS;
}

int cgs_inotify_unwatch(int fd, int watch) {
    (void)fd;
    (void)watch;
    return -ENOSYS;
}

uint32_t cgs_inotify_ends(void) { return 0; }

uint32_t cgs_inotify_arrives(void) { return 0; }
#endif

int cgs_entries(const char *directory, const char *prefix, uint8_t *names, size_t room) {
    DIR *all = opendir(directory);
    if (!all) return -errno;
    size_t used = 0;
    for (struct dirent *entry; (entry = readdir(all));) {
        size_t length = strlen(entry->d_name) + 1;
        if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0 || length > room - used) continue;
        memcpy(names + used, entry->d_name, length);
        used += length;
    }
    closedir(all);
    return (int)used;
}

int cgs_create_file(const char *path, uint32_t mode) {
    return RESULT(open(path, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC, (mode_t)mode));
}

int cgs_make_file(const char *path, uint32_t mode) { return RESULT(mknod(path, S_IFREG | (mode_t)mode, 0)); }

int cgs_open_to_read(const char *path) { return RESULT(open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)); }

int cgs_may_change_entries(const char *directory) {
    return RESULT(faccessat(AT_FDCWD, directory, W_OK | X_OK, AT_EACCESS));
}

int64_t cgs_wall_nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t cgs_boot_nanoseconds(void) {
#ifdef CLOCK_BOOTTIME
    struct timespec now;
    if (clock_gettime(CLOCK_BOOTTIME, &now) < 0) return -errno;
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
#else
    return -ENOSYS;
#endif
}

int64_t cgs_ticks_a_second(void) { return (int64_t)sysconf(_SC_CLK_TCK); }

#define _GNU_SOURCE
#include "include/datagrams.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

int cgs_unix_datagram_socket(void) {
#ifdef __linux__
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return fd < 0 ? -errno : fd;
#else
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    if (fd < 0) return -errno;
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0) {
        int failed = errno;
        close(fd);
        return -failed;
    }
    return fd;
#endif
}

// The length of an abstract name counts; that of a path includes its zero.
static int fill(struct sockaddr_un *to, const char *address, size_t length) {
    memset(to, 0, sizeof *to);
    to->sun_family = AF_UNIX;
    int is_abstract = length > 0 && address[0] == 0;
    if (length == 0 || length + (is_abstract ? 0 : 1) > sizeof to->sun_path) return -ENAMETOOLONG;
    memcpy(to->sun_path, address, length);
    return (int)(offsetof(struct sockaddr_un, sun_path) + length + (is_abstract ? 0 : 1));
}

int cgs_unix_datagram_bind(int fd, const char *address, size_t length) {
    struct sockaddr_un to;
    int size = fill(&to, address, length);
    if (size < 0) return size;
    return bind(fd, (struct sockaddr *)&to, (socklen_t)size) < 0 ? -errno : 0;
}

long cgs_unix_datagram_send(int fd, const char *address, size_t length, const void *bytes, size_t count) {
    struct sockaddr_un to;
    int size = fill(&to, address, length);
    if (size < 0) return size;
    ssize_t sent = sendto(fd, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&to, (socklen_t)size);
    return sent < 0 ? -errno : (long)sent;
}

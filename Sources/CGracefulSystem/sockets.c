#define _GNU_SOURCE
#include "include/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#ifdef __linux__
#include <linux/filter.h>
#endif
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif
#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif
#ifndef MSG_CMSG_CLOEXEC
#define MSG_CMSG_CLOEXEC 0
#endif

#define RESULT(call) ({ __typeof__(call) r_ = (call); r_ < 0 ? -errno : r_; })

size_t cgs_unix_path_limit(void) { return sizeof(((struct sockaddr_un *)0)->sun_path) - 1; }

static int prepared_socket(int family, int type) {
#ifdef __linux__
    return RESULT(socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
#else
    int fd = socket(family, type, 0);
    if (fd < 0) return -errno;
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
#endif
}

int cgs_unix_stream_socket(void) { return prepared_socket(AF_UNIX, SOCK_STREAM); }

int cgs_unix_pair(int ends[2]) {
#ifdef __linux__
    return RESULT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends));
#else
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0) return -errno;
    for (int i = 0; i < 2; i++) {
        fcntl(ends[i], F_SETFD, FD_CLOEXEC);
        fcntl(ends[i], F_SETFL, O_NONBLOCK);
    }
    return 0;
#endif
}

static int unix_address(struct sockaddr_un *address, const char *path) {
    size_t length = strlen(path);
    if (length > cgs_unix_path_limit()) return -ENAMETOOLONG;
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path, length);
    return 0;
}

int cgs_unix_bind(int fd, const char *path) {
    struct sockaddr_un address;
    int failed = unix_address(&address, path);
    if (failed) return failed;
    // Linux takes the mode of the path from the socket (unix(7) is silent on it; af_unix.c, unix_bind_bsd): set before
    // the bind, there is no moment in which others may connect. Elsewhere it fails or does nothing, and chmod follows.
    fchmod(fd, 0600);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) return -errno;
#ifndef __linux__
    chmod(path, 0600);
#endif
    return 0;
}

int cgs_unix_connect(int fd, const char *path) {
    struct sockaddr_un address;
    int failed = unix_address(&address, path);
    if (failed) return failed;
    return RESULT(connect(fd, (struct sockaddr *)&address, sizeof address));
}

int cgs_listen(int fd, int backlog) { return RESULT(listen(fd, backlog)); }

int cgs_accept(int fd) {
#ifdef __linux__
    return RESULT(accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK));
#else
    int accepted = accept(fd, NULL, NULL);
    if (accepted < 0) return -errno;
    fcntl(accepted, F_SETFD, FD_CLOEXEC);
    fcntl(accepted, F_SETFL, O_NONBLOCK);
    return accepted;
#endif
}

static int integer_option(int fd, int option) {
    int value = 0;
    socklen_t length = sizeof value;
    if (getsockopt(fd, SOL_SOCKET, option, &value, &length) < 0) return -errno;
    return value;
}

int cgs_socket_error(int fd) { return integer_option(fd, SO_ERROR); }

int cgs_is_listening(int fd) { return integer_option(fd, SO_ACCEPTCONN); }

int cgs_socket_kind(int fd, int *family, int *type) {
    *type = integer_option(fd, SO_TYPE);
    if (*type < 0) return *type;
#ifdef SO_DOMAIN
    *family = integer_option(fd, SO_DOMAIN);
    return *family < 0 ? *family : 0;
#else
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &size) < 0) return -errno;
    *family = address.ss_family;
    return 0;
#endif
}

int cgs_family_unix(void) { return AF_UNIX; }

int cgs_type_stream(void) { return SOCK_STREAM; }

int cgs_keep_nonblocking(int fd) {
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0) return -errno;
    if (!(flags & O_NONBLOCK) && fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) return -errno;
    struct timeval limit = {.tv_sec = 0, .tv_usec = 20 * 1000};
    return RESULT(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
}

int cgs_hold_off(int fd) {
#ifdef __linux__
    // What a filter of a TCP socket sees begins with the TCP header, whose byte 13 has the flags (RFC 9293 §3.1).
    struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x12),          // SYN and ACK
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x02, 0, 1),    // SYN alone: the first segment of a connection
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
    };
    struct sock_fprog program = {.len = sizeof steps / sizeof *steps, .filter = steps};
    return RESULT(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program));
#else
    (void)fd;
    return -ENOSYS;
#endif
}

int cgs_let_in(int fd) {
#ifdef __linux__
    int unused = 0;
    return RESULT(setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof unused));
#else
    (void)fd;
    return -ENOSYS;
#endif
}

int cgs_has_waiting(int fd) {
    struct pollfd entry = {.fd = fd, .events = POLLIN};
    return RESULT(poll(&entry, 1, 0));
}

int cgs_peer_credentials(int fd, struct cgs_peer *peer) {
#ifdef __linux__
    struct ucred found;
    socklen_t length = sizeof found;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &found, &length) < 0) return -errno;
    peer->pid = found.pid;
    peer->user = found.uid;
    return 0;
#else
    uid_t user;
    gid_t group;
    if (getpeereid(fd, &user, &group) < 0) return -errno;
    peer->pid = 0;
    peer->user = user;
    return 0;
#endif
}

int cgs_peer_pidfd(int fd) {
#ifdef __linux__
    return integer_option(fd, SO_PEERPIDFD);
#else
    (void)fd;
    return -ENOPROTOOPT;
#endif
}

long cgs_send(int fd, const void *bytes, size_t length, const int *descriptors, size_t count) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(CGS_DESCRIPTORS_A_MESSAGE * sizeof(int))];
    } control;
    if (count > CGS_DESCRIPTORS_A_MESSAGE) return -EINVAL;
    struct iovec vector = {.iov_base = (void *)bytes, .iov_len = length};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    if (count > 0) {
        memset(&control, 0, CMSG_SPACE(count * sizeof(int)));
        message.msg_control = control.space;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(header), descriptors, count * sizeof(int));
    }
    return RESULT(sendmsg(fd, &message, MSG_NOSIGNAL));
}

long cgs_receive(int fd, void *bytes, size_t length, int *descriptors, size_t *count, int *truncated) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(CGS_DESCRIPTORS_A_MESSAGE * sizeof(int))];
    } control;
    struct iovec vector = {.iov_base = bytes, .iov_len = length};
    struct msghdr message = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = sizeof control.space};
    *count = 0;
    *truncated = 0;
    long received = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    if (received < 0) return -errno;
    *truncated = (message.msg_flags & MSG_CTRUNC) != 0;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        size_t bytes_here = header->cmsg_len - CMSG_LEN(0);
        // macOS does not shorten cmsg_len when it truncates.
        size_t room = (size_t)(control.space + sizeof control.space - (char *)CMSG_DATA(header));
        if (bytes_here > room) bytes_here = room;
        for (size_t i = 0; i < bytes_here / sizeof(int) && *count < CGS_DESCRIPTORS_A_MESSAGE + 1; i++) {
            memcpy(&descriptors[*count], CMSG_DATA(header) + i * sizeof(int), sizeof(int));
#ifndef __linux__
            fcntl(descriptors[*count], F_SETFD, FD_CLOEXEC);
#endif
            *count += 1;
        }
    }
    return received;
}

long cgs_receive_bytes(int fd, void *bytes, size_t length, int *truncated) {
    struct iovec vector = {.iov_base = bytes, .iov_len = length};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    *truncated = 0;
    long received = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    if (received < 0) return -errno;
    *truncated = (message.msg_flags & MSG_CTRUNC) != 0;
    return received;
}

int cgs_canonical_address(const char *text, char *canonical, size_t length) {
    struct in6_addr any;
    int family = inet_pton(AF_INET, text, &any) == 1 ? AF_INET : inet_pton(AF_INET6, text, &any) == 1 ? AF_INET6 : 0;
    if (!family) return -EINVAL;
    return inet_ntop(family, &any, canonical, (socklen_t)length) ? 0 : -errno;
}

union tcp_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

// The length of the address, or -EINVAL when the text is none.
static int tcp_address(union tcp_address *address, const char *text, uint16_t port) {
    memset(address, 0, sizeof *address);
    if (inet_pton(AF_INET, text, &address->v4.sin_addr) == 1) {
        address->v4.sin_family = AF_INET;
        address->v4.sin_port = htons(port);
        return sizeof address->v4;
    }
    memset(address, 0, sizeof *address);
    if (inet_pton(AF_INET6, text, &address->v6.sin6_addr) == 1) {
        address->v6.sin6_family = AF_INET6;
        address->v6.sin6_port = htons(port);
        return sizeof address->v6;
    }
    return -EINVAL;
}

int cgs_tcp_listen_again(int fd, const char *text, uint16_t port, int backlog) {
    union tcp_address address;
    int length = tcp_address(&address, text, port);
    if (length < 0) return length;
    // EINVAL: it is bound still (bind(2)).
    if (bind(fd, &address.any, (socklen_t)length) < 0 && errno != EINVAL) return -errno;
    return RESULT(listen(fd, backlog));
}

int cgs_tcp_listen(const char *text, uint16_t port, int backlog) {
    union tcp_address address;
    int length = tcp_address(&address, text, port);
    if (length < 0) return length;
    int fd = prepared_socket(address.any.sa_family, SOCK_STREAM);
    if (fd < 0) return fd;
    int one = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0 ||
        bind(fd, &address.any, (socklen_t)length) < 0 ||
        listen(fd, backlog) < 0) {
        int failed = errno;
        close(fd);
        return -failed;
    }
    // Another process may come to have it, and make it blocking.
    cgs_keep_nonblocking(fd);
    return fd;
}

int cgs_local_address(int fd, char *text, size_t length, uint16_t *port) {
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &size) < 0) return -errno;
    const void *where;
    if (address.ss_family == AF_INET) {
        where = &((struct sockaddr_in *)&address)->sin_addr;
        *port = ntohs(((struct sockaddr_in *)&address)->sin_port);
    } else if (address.ss_family == AF_INET6) {
        where = &((struct sockaddr_in6 *)&address)->sin6_addr;
        *port = ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
    } else {
        return -EAFNOSUPPORT;
    }
    return inet_ntop(address.ss_family, where, text, (socklen_t)length) ? 0 : -errno;
}

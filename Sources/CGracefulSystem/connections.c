#define _GNU_SOURCE
#include "include/connections.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#endif

#ifdef __linux__
static int ask(int fd, const void *question, size_t length, void *answer, size_t room) {
    struct timeval limit = {.tv_sec = 1};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (send(fd, question, length, 0) < 0) return -errno;
    ssize_t count = recv(fd, answer, room, 0);
    return count < 0 ? -errno : (int)count;
}
#endif

int cgs_connection_inode(int family, const uint8_t *own, uint16_t own_port, const uint8_t *peer, uint16_t peer_port,
                         uint64_t *inode) {
#ifdef __linux__
    size_t length = family == AF_INET ? 4 : 16;
    struct {
        struct nlmsghdr header;
        struct inet_diag_req_v2 request;
    } question;
    memset(&question, 0, sizeof question);
    question.header.nlmsg_len = sizeof question;
    question.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    question.header.nlmsg_flags = NLM_F_REQUEST;
    question.request.sdiag_family = (uint8_t)family;
    question.request.sdiag_protocol = IPPROTO_TCP;
    question.request.idiag_states = ~0u;
    question.request.id.idiag_sport = htons(own_port);
    question.request.id.idiag_dport = htons(peer_port);
    memcpy(question.request.id.idiag_src, own, length);
    memcpy(question.request.id.idiag_dst, peer, length);
    question.request.id.idiag_cookie[0] = INET_DIAG_NOCOOKIE;
    question.request.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;

    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (fd < 0) return -errno;
    union {
        struct nlmsghdr header;
        char bytes[4096];
    } answer;
    int count = ask(fd, &question, sizeof question, answer.bytes, sizeof answer.bytes);
    close(fd);
    if (count < 0) return count;
    if ((size_t)count < sizeof answer.header) return -EBADMSG;
    if (answer.header.nlmsg_type == NLMSG_ERROR) {
        const struct nlmsgerr *error = NLMSG_DATA(&answer.header);
        return (size_t)count < NLMSG_LENGTH(sizeof *error) ? -EBADMSG : error->error;
    }
    if ((size_t)count < NLMSG_LENGTH(sizeof(struct inet_diag_msg))) return -EBADMSG;
    const struct inet_diag_msg *found = NLMSG_DATA(&answer.header);
    // Without the connection the kernel answers with the listener that has its address.
    if (found->id.idiag_dport != htons(peer_port)) return -ENOENT;
    *inode = found->idiag_inode;
    return 0;
#else
    (void)family, (void)own, (void)own_port, (void)peer, (void)peer_port, (void)inode;
    return -ENOSYS;
#endif
}

int cgs_has_socket(int32_t pid, uint64_t inode) {
    char path[32];
    snprintf(path, sizeof path, "/proc/%d/fd", pid);
    DIR *all = opendir(path);
    if (!all) return -errno;
    int has = 0;
    struct stat found;
    for (struct dirent *entry; !has && (entry = readdir(all));)
        has = fstatat(dirfd(all), entry->d_name, &found, 0) == 0 && S_ISSOCK(found.st_mode) && found.st_ino == inode;
    closedir(all);
    return has;
}

#ifndef CGRACEFULSYSTEM_SOCKETS_H
#define CGRACEFULSYSTEM_SOCKETS_H

#include <stddef.h>
#include <stdint.h>

// The longest path that fits into sockaddr_un with its terminating zero (107 on Linux, 103 on macOS).
size_t cgs_unix_path_limit(void);

// All sockets are close-on-exec and non-blocking.
int cgs_unix_stream_socket(void);
int cgs_unix_pair(int ends[2]);
// The path has mode 0600, whatever the umask allows beyond it.
int cgs_unix_bind(int fd, const char *path);
int cgs_unix_connect(int fd, const char *path);
int cgs_listen(int fd, int backlog);
int cgs_accept(int fd);
// SO_ERROR.
int cgs_socket_error(int fd);
// SO_ACCEPTCONN: 1 when the socket listens.
int cgs_is_listening(int fd);
// SO_DOMAIN (where there is none, the family of the local address) and SO_TYPE.
int cgs_socket_kind(int fd, int *family, int *type);
int cgs_family_unix(void);
int cgs_type_stream(void);
// A listening socket that other processes have too: non-blocking, and where one of them takes that away, accept(2) returns
// with EAGAIN after 20 ms (SO_RCVTIMEO, socket(7)).
int cgs_keep_nonblocking(int fd);
// Lets no new TCP connection begin at a listening socket, and those that have begun be completed (SO_ATTACH_FILTER,
// socket(7)): a client that comes now hears nothing, and tries again after a second (RFC 6298). -ENOSYS where there is none.
int cgs_hold_off(int fd);
// SO_DETACH_FILTER.
int cgs_let_in(int fd);
// 1 when a connection waits to be accepted.
int cgs_has_waiting(int fd);

struct cgs_peer {
    int32_t pid;  // 0 when it is not known
    uint32_t user;
};
// SO_PEERCRED / LOCAL_PEERCRED: the process that connected, as the kernel saw it.
int cgs_peer_credentials(int fd, struct cgs_peer *peer);
// SO_PEERPIDFD (Linux 6.5): a descriptor that becomes readable when the peer has died. -ENOPROTOOPT elsewhere.
int cgs_peer_pidfd(int fd);

// The kernel takes at most 253 descriptors a message.
#define CGS_DESCRIPTORS_A_MESSAGE 253
// sendmsg(2) with SCM_RIGHTS when count > 0. MSG_NOSIGNAL.
long cgs_send(int fd, const void *bytes, size_t length, const int *descriptors, size_t count);
// recvmsg(2). `descriptors` has room for CGS_DESCRIPTORS_A_MESSAGE + 1: CMSG_SPACE's padding lets one more in than
// was asked for, and a descriptor that is not seen is a leak. `count` says how many came; `truncated` is MSG_CTRUNC.
long cgs_receive(int fd, void *bytes, size_t length, int *descriptors, size_t *count, int *truncated);

// The same for a peer that is to send no descriptors: those that come are discarded by the system, and never open here.
long cgs_receive_bytes(int fd, void *bytes, size_t length, int *truncated);

// An IPv4 or IPv6 address in its one canonical spelling (RFC 5952). -EINVAL when the text is no address.
int cgs_canonical_address(const char *text, char *canonical, size_t length);
// An IPv4 or IPv6 address in text ("127.0.0.1", "::1") and a port: a socket that is bound and listens.
// -EINVAL when the text is no address.
int cgs_tcp_listen(const char *address, uint16_t port, int backlog);
// A TCP socket whose listening has been ended (shutdown(2)) listens again at its address: bound to it anew where the system
// has not kept the port for it, as it does for a port that was asked for by number.
int cgs_tcp_listen_again(int fd, const char *address, uint16_t port, int backlog);
// The local address of an IPv4 or IPv6 socket as text.
int cgs_local_address(int fd, char *text, size_t length, uint16_t *port);

#endif

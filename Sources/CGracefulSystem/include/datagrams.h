#ifndef CGRACEFULSYSTEM_DATAGRAMS_H
#define CGRACEFULSYSTEM_DATAGRAMS_H

#include <stddef.h>

// A Unix datagram socket, close-on-exec and non-blocking.
int cgs_unix_datagram_socket(void);
// A path, or an abstract name of `length` bytes that begins with a zero byte. -ENAMETOOLONG when it does not fit.
int cgs_unix_datagram_bind(int fd, const char *address, size_t length);
// sendto(2) with MSG_NOSIGNAL and MSG_DONTWAIT. The address as above.
long cgs_unix_datagram_send(int fd, const char *address, size_t length, const void *bytes, size_t count);

#endif

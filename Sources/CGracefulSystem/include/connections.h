#ifndef CGRACEFULSYSTEM_CONNECTIONS_H
#define CGRACEFULSYSTEM_CONNECTIONS_H

#include <stdint.h>

// One end of a TCP connection of this network namespace, named by its own address and that of its peer, each as the
// bytes of an IPv4 (4) or IPv6 (16) address. `inode` is that of the socket; 0 while no process has accepted it, or when
// none has it open any more. sock_diag(7), which asks for one connection and does not read the table of all.
// -ENOENT when there is no such connection; another error where the system does not tell.
int cgs_connection_inode(int family, const uint8_t *own, uint16_t own_port, const uint8_t *peer, uint16_t peer_port,
                         uint64_t *inode);
// 1 when the process has a descriptor of the socket with this inode, 0 when it has none; -EACCES when its descriptors
// are not ours to see, -ENOENT when it is gone.
int cgs_has_socket(int32_t pid, uint64_t inode);

#endif

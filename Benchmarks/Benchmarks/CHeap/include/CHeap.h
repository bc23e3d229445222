#ifndef C_HEAP_H
#define C_HEAP_H

#include <stddef.h>

/// What is allocated on the heap of this process, in bytes; mallinfo2(3), which Swift's Glibc does not have.
size_t heap_in_use(void);

#endif

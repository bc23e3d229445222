// What Swift cannot say, or cannot say safely: one call a function, no decisions.
//
// Every function returns a value >= 0, or -errno. None of them retries; the retry rule is the caller's.
#ifndef CGRACEFULSYSTEM_H
#define CGRACEFULSYSTEM_H

#include "connections.h"
#include "datagrams.h"
#include "descriptors.h"
#include "processes.h"
#include "signals.h"
#include "sockets.h"
#include "threads.h"
#include "watching.h"

#endif

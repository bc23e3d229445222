#ifndef CGRACEFULSYSTEM_THREADS_H
#define CGRACEFULSYSTEM_THREADS_H

// A detached thread with every signal blocked, so that no handler ever runs on it.
int cgs_thread_start(const char *name, void (*body)(void *), void *context);

// _exit(2): no atexit handler runs, no buffer is flushed.
_Noreturn void cgs_exit_now(int code);
// exit(3): atexit handlers run and buffers are flushed, on this thread; either may take for ever.
_Noreturn void cgs_exit(int code);

#endif

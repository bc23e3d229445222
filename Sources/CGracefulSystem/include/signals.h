#ifndef CGRACEFULSYSTEM_SIGNALS_H
#define CGRACEFULSYSTEM_SIGNALS_H

// From now on each arrival of `signal` writes one byte, the signal's number, to `fd` (a non-blocking pipe end).
// The handler does nothing else: write(2) is async-signal-safe, no Swift code is. SA_RESTART. -EINVAL for SIGKILL
// and SIGSTOP, and for a number above 64.
//
// In process 1 (of a container) SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1 and SIGUSR2 are kept from before main on, where
// their disposition was the default one: a signal that has come before this call is written now, once.
int cgs_signal_forward(int signal, int fd);
// The program listens no more: back to the default action; in process 1 back to keeping it.
int cgs_signal_leave(int signal);
// Back to the default action.
int cgs_signal_default(int signal);
int cgs_signal_ignore(int signal);
// Takes `signal` out of the calling thread's mask.
int cgs_signal_unblock(int signal);

// The number of a signal by its name without SIG ("TERM", "HUP", "USR2"), or -EINVAL.
int cgs_signal_number(const char *name);

#endif

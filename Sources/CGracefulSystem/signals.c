#define _GNU_SOURCE
#include "include/signals.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

// One more than the descriptor, so that zero means "nobody listens".
static _Atomic int forwarding[65];

static void forward(int signal) {
    int before = errno;
    int fd = atomic_load_explicit(&forwarding[signal], memory_order_acquire) - 1;
    if (fd >= 0) {
        unsigned char number = (unsigned char)signal;
        // A full pipe drops the byte; 64 KiB of unread signals are not a stop that was missed.
        ssize_t ignored = write(fd, &number, 1);
        (void)ignored;
    }
    errno = before;
}

static int disposition(int signal, void (*handler)(int)) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    return sigaction(signal, &action, NULL) < 0 ? -errno : 0;
}

int cgs_signal_forward(int signal, int fd) {
    if (signal < 1 || signal > 64 || signal == SIGKILL || signal == SIGSTOP) return -EINVAL;
    atomic_store_explicit(&forwarding[signal], fd + 1, memory_order_release);
    return disposition(signal, forward);
}

int cgs_signal_default(int signal) { return disposition(signal, SIG_DFL); }

int cgs_signal_ignore(int signal) { return disposition(signal, SIG_IGN); }

int cgs_signal_unblock(int signal) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal);
    return -pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

int cgs_signal_number(const char *name) {
    static const struct {
        const char *name;
        int number;
    } known[] = {
        {"HUP", SIGHUP},   {"INT", SIGINT},   {"QUIT", SIGQUIT}, {"KILL", SIGKILL}, {"TERM", SIGTERM},
        {"USR1", SIGUSR1}, {"USR2", SIGUSR2}, {"CHLD", SIGCHLD}, {"CONT", SIGCONT}, {"STOP", SIGSTOP},
        {"TSTP", SIGTSTP}, {"PIPE", SIGPIPE}, {"ALRM", SIGALRM}, {"WINCH", SIGWINCH},
        {"SEGV", SIGSEGV}, {"BUS", SIGBUS},   {"FPE", SIGFPE},   {"ILL", SIGILL},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(known[i].name, name) == 0) return known[i].number;
    return -EINVAL;
}

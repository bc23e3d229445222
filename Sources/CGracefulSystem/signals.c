#define _GNU_SOURCE
#include "include/signals.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

// One more than the descriptor, so that zero means that no thread listens.
static _Atomic int forwarding[65];
// It came before the program listened. Only process 1 has any.
static _Atomic int kept[65];

static void pass_on(int signal, int fd) {
    unsigned char number = (unsigned char)signal;
    // A full pipe drops the byte; 64 KiB of unread signals are not a stop that was missed.
    ssize_t ignored = write(fd, &number, 1);
    (void)ignored;
}

static void forward(int signal) {
    int before = errno;
    int fd = atomic_load_explicit(&forwarding[signal], memory_order_acquire) - 1;
    if (fd >= 0) pass_on(signal, fd);
    errno = before;
}

// In process 1, for as long as the program does not listen. Kept first and looked for a listener then; a listener does
// it the other way round: so one of both finds it, and the exchange sees that only one passes it on.
static void keep(int signal) {
    int before = errno;
    atomic_store(&kept[signal], 1);
    int fd = atomic_load(&forwarding[signal]) - 1;
    if (fd >= 0 && atomic_exchange(&kept[signal], 0)) pass_on(signal, fd);
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

// The kernel drops what process 1 has no handler for (pid_namespaces(7)), so one of these that comes while the program
// starts would be lost, and its sender waits until it kills. Anywhere else its default action is right.
static const int worth_keeping[] = {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2};

static int is_worth_keeping(int signal) {
    for (size_t i = 0; i < sizeof worth_keeping / sizeof worth_keeping[0]; i++)
        if (worth_keeping[i] == signal) return 1;
    return 0;
}

// As early as a program can: before main, and before Swift.
__attribute__((constructor)) static void keep_from_the_start(void) {
    if (getpid() != 1) return;
    for (size_t i = 0; i < sizeof worth_keeping / sizeof worth_keeping[0]; i++) {
        struct sigaction present;
        // Its parent may want it ignored, as nohup(1) does.
        if (sigaction(worth_keeping[i], NULL, &present) == 0 && present.sa_handler == SIG_DFL)
            disposition(worth_keeping[i], keep);
    }
}

int cgs_signal_forward(int signal, int fd) {
    if (signal < 1 || signal > 64 || signal == SIGKILL || signal == SIGSTOP) return -EINVAL;
    atomic_store(&forwarding[signal], fd + 1);
    int result = disposition(signal, forward);
    if (result >= 0 && atomic_exchange(&kept[signal], 0)) pass_on(signal, fd);
    return result;
}

int cgs_signal_leave(int signal) {
    if (signal < 1 || signal > 64) return -EINVAL;
    atomic_store(&forwarding[signal], 0);
    return disposition(signal, getpid() == 1 && is_worth_keeping(signal) ? keep : SIG_DFL);
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

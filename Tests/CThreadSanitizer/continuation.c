// A continuation that is resumed before its task has begun to wait, as ThreadSanitizer has to see it.
//
// `resume` tells the sanitizer that it comes before whatever the task does next (`_swift_tsan_release`, an address that
// the runtime calls through). The task takes that up (`_swift_tsan_acquire`) when it is run again as a job. But when it
// finds, on its way into the wait, that it has been resumed already, it goes on at once and takes up nothing; then what
// the resuming thread wrote, the result itself included, looks like a race (Swift 6.3.1, `swift_continuation_await`).
// There are two ways on at once, and each is closed here:
//
// * It sees it at the very last step, when it cannot put itself to wait. Before it goes on, the runtime calls
//   `swift_task_enterThreadLocalContext`, which lies in another library, so ours is called: we take it up there.
// * It sees it at the first look, and calls nothing. So `resume` lets that not happen: it waits until the task is past
//   that. Bounded, since the task may not get there: its closure may be waiting for the thread that resumes.
//
// Nothing is suppressed, and no order is claimed that is not there: only the schedule is shaped, by an instant.
#if __has_feature(thread_sanitizer) && defined(__linux__)

#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <sanitizer/tsan_interface.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

// Longer than a busy machine keeps a thread off its core (50 ms were not).
#define LIMIT_IN_NANOSECONDS 1000000000

__attribute__((swiftcall)) extern void *swift_task_getCurrent(void);

// What compiled code itself relies on (ABI/Task.h), but for `dependency`, which is private to the runtime: what the
// task is about to wait for. A task whose cancellation resumes it does not get further before `resume` has returned. At
// another place in another runtime it costs time or the tests notice.
struct task {
    void *words_before[8];
    struct continuation *continuation;
    void *words_between[11];
    void *dependency;
};
struct continuation {
    void *words_before[3];
    uintptr_t status; // 0: no task waits yet; 1: the task waits; 2: resumed
};

static void (*enter_thread_local_context)(char *storage);

// The code of the three ways to resume.
static struct {
    uintptr_t begin, end;
} resuming[3];

static bool is_resuming(uintptr_t address) {
    for (int i = 0; i < 3; i++)
        if (address >= resuming[i].begin && address < resuming[i].end) return true;
    return false;
}

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

// Not instrumented: it looks at words that the runtime writes, unseen, and must neither be reported for it nor take up
// an order that the runtime does not give.
__attribute__((disable_sanitizer_instrumentation)) static void release(void *object) {
    __tsan_release(object);
    if (!is_resuming((uintptr_t)__builtin_return_address(0))) return;
    // Resumed in its own closure: the same thread, which needs no order and would wait for itself.
    if (swift_task_getCurrent() == object) return;
    struct task *task = object;
    int64_t until = now() + LIMIT_IN_NANOSECONDS;
    while (__atomic_load_n(&task->continuation->status, __ATOMIC_RELAXED) == 0 &&
           !__atomic_load_n(&task->dependency, __ATOMIC_RELAXED) && now() < until) {
        // sleeps on purpose: there is nothing to await, and on a busy machine the task needs this core.
        nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL);
    }
}

void swift_task_enterThreadLocalContext(char *storage);
void swift_task_enterThreadLocalContext(char *storage) {
    void *task = swift_task_getCurrent();
    if (task) __tsan_acquire(task);
    enter_thread_local_context(storage);
}

// Before `main`, while there is one thread, and after the runtime has set its own.
__attribute__((constructor)) static void find_the_runtime(void) {
    static const char *const names[3] = {
        "swift_continuation_resume",
        "swift_continuation_throwingResume",
        "swift_continuation_throwingResumeWithError",
    };
    enter_thread_local_context = (void (*)(char *))dlsym(RTLD_NEXT, "swift_task_enterThreadLocalContext");
    for (int i = 0; i < 3; i++) {
        Dl_info info;
        const ElfW(Sym) * symbol;
        void *code = dlsym(RTLD_DEFAULT, names[i]);
        if (!code || !dladdr1(code, &info, (void **)&symbol, RTLD_DL_SYMENT)) continue;
        resuming[i].begin = (uintptr_t)code;
        resuming[i].end = (uintptr_t)code + symbol->st_size;
    }
    void (**hook)(void *) = (void (**)(void *))dlsym(RTLD_DEFAULT, "_swift_tsan_release");
    if (hook) *hook = release;
}

#endif

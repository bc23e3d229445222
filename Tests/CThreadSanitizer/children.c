// What ThreadSanitizer reports in the processes that tests start.
//
// They are sanitized too, but that may never be seen: their standard error goes to a file that is removed, or is
// compared with what a test expects, and a killed process has no exit code of its own. So a test program gives those
// that it starts a place for their reports (`log_path`, in the environment that they inherit), and at its end shows
// what is there and fails as if the report were its own.
//
// They also sleep less at their exit: 50 ms for the races that happen there, not the default second, which they owe to
// the tests that wait for them, hundreds of times in one run.
//
// Nothing is done when TSAN_OPTIONS names a log_path already. A process that is started without our environment reports
// on its standard error and by its exit code, 66, as usual.
#if __has_feature(thread_sanitizer) && defined(__linux__)

#define _GNU_SOURCE
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REPORTED 66

static char place[PATH_MAX];

static int show(const char *path) {
    FILE *report = fopen(path, "r");
    if (!report) return 0;
    char bytes[4096];
    for (size_t count; (count = fread(bytes, 1, sizeof bytes, report)) > 0;) fwrite(bytes, 1, count, stderr);
    fclose(report);
    return 1;
}

static void show_what_is_there(void) {
    DIR *directory = opendir(place);
    if (!directory) return;
    int reports = 0;
    for (struct dirent *entry; (entry = readdir(directory));) {
        char path[PATH_MAX + NAME_MAX + 2];
        snprintf(path, sizeof path, "%s/%s", place, entry->d_name);
        if (entry->d_name[0] == '.') continue;
        reports += show(path);
        unlink(path);
    }
    closedir(directory);
    rmdir(place);
    if (reports == 0) return;
    fprintf(stderr, "ThreadSanitizer: reports of %d processes that the tests have started; see above\n", reports);
    fflush(NULL);
    _exit(REPORTED);
}

static int is_test_program(void) {
    static const char suffix[] = ".xctest";
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path);
    ssize_t wanted = (ssize_t)sizeof suffix - 1;
    return length > wanted && memcmp(path + length - wanted, suffix, (size_t)wanted) == 0;
}

__attribute__((constructor)) static void give_children_a_place(void) {
    const char *options = getenv("TSAN_OPTIONS");
    if (!is_test_program() || (options && strstr(options, "log_path"))) return;
    const char *temporary = getenv("TMPDIR");
    snprintf(place, sizeof place - 64, "%s/thread-sanitizer-XXXXXX", temporary && *temporary ? temporary : "/tmp");
    if (!mkdtemp(place)) return;
    char with_place[2 * PATH_MAX];
    const char *format = "atexit_sleep_ms=50 %s log_path=\"%s/report\"";
    snprintf(with_place, sizeof with_place, format, options ? options : "", place);
    setenv("TSAN_OPTIONS", with_place, 1);
    atexit(show_what_is_there);
}

#endif

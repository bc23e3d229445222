#include "include/CThreadSanitizer.h"

// Asked of the linker, not of the compiler: were the flag to reach the Swift sources alone, the other files here would
// be empty, and the tests have to notice.
extern void __tsan_init(void) __attribute__((weak));

bool cts_is_watching(void) { return __tsan_init != 0; }

#include "include/CThreadSanitizer.h"

bool cts_is_watching(void) {
#if __has_feature(thread_sanitizer)
    return true;
#else
    return false;
#endif
}

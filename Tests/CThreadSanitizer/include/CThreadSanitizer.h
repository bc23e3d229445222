// What ThreadSanitizer has to be told about the Swift runtime. Linked into every program of this package; without
// `--sanitize=thread` it is empty. Linking it is enough, nothing has to be called.
#ifndef C_THREAD_SANITIZER_H
#define C_THREAD_SANITIZER_H

#include <stdbool.h>

// Whether this program was built with the thread sanitizer.
bool cts_is_watching(void);

#endif

#ifndef CDISTANCE_MEMORY_H
#define CDISTANCE_MEMORY_H

// What Swift has no words for: an instruction, and a function with a variable number of arguments.

#include <stddef.h>

/// Fetches bytes into the cache that are going to be read.
static inline void memory_prefetch(const void *first, size_t bytes) {
    for (size_t offset = 0; offset < bytes; offset += 64) __builtin_prefetch((const char *)first + offset);
}

/// mremap(2), to wherever there is room, or to a place that is the caller's if one is given.
///
/// Returns NULL where it fails.
void *memory_move(void *start, size_t old_bytes, size_t new_bytes, void *place);

#endif

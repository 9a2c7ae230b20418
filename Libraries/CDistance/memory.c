#define _GNU_SOURCE
#include "memory.h"

#include <sys/mman.h>

void *memory_move(void *start, size_t old_bytes, size_t new_bytes, void *place) {
    void *moved = place ? mremap(start, old_bytes, new_bytes, MREMAP_MAYMOVE | MREMAP_FIXED, place)
                        : mremap(start, old_bytes, new_bytes, MREMAP_MAYMOVE);
    return moved == MAP_FAILED ? NULL : moved;
}

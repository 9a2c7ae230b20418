#include "CChecksum.h"

#include <string.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#elif defined(__aarch64__)
#include <arm_acle.h>
#include <sys/auxv.h>
#endif

// 0x1EDC6F41 with its bits turned round.
#define POLYNOMIAL 0x82F63B78u

uint32_t checksum_crc32c_plain(uint32_t checksum, const void *bytes, size_t count) {
    // Sixteen entries, four bits at a time: small enough to be made at each call, so that nothing is shared by threads.
    uint32_t table[16];
    for (uint32_t entry = 0; entry < 16; entry++) {
        uint32_t value = entry;
        for (int bit = 0; bit < 4; bit++) value = value & 1 ? value >> 1 ^ POLYNOMIAL : value >> 1;
        table[entry] = value;
    }
    const uint8_t *next = bytes;
    uint32_t state = ~checksum;
    while (count--) {
        state ^= *next++;
        state = state >> 4 ^ table[state & 15];
        state = state >> 4 ^ table[state & 15];
    }
    return ~state;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t checksum, const uint8_t *next, size_t count) {
    uint64_t state = ~checksum;
    for (; count >= 8; next += 8, count -= 8) {
        uint64_t word;
        memcpy(&word, next, 8);
        state = _mm_crc32_u64(state, word);
    }
    while (count--) state = _mm_crc32_u8((uint32_t)state, *next++);
    return ~(uint32_t)state;
}

static int has_instruction(void) { return __builtin_cpu_supports("sse4.2"); }
#elif defined(__aarch64__)
__attribute__((target("crc"))) static uint32_t by_instruction(uint32_t checksum, const uint8_t *next, size_t count) {
    uint32_t state = ~checksum;
    for (; count >= 8; next += 8, count -= 8) {
        uint64_t word;
        memcpy(&word, next, 8);
        state = __crc32cd(state, word);
    }
    while (count--) state = __crc32cb(state, *next++);
    return ~state;
}

// HWCAP_CRC32 of <asm/hwcap.h>.
static int has_instruction(void) { return (getauxval(AT_HWCAP) & (1 << 7)) != 0; }
#endif

uint32_t checksum_crc32c(uint32_t checksum, const void *bytes, size_t count) {
#if defined(__x86_64__) || defined(__aarch64__)
    if (has_instruction()) return by_instruction(checksum, bytes, count);
#endif
    return checksum_crc32c_plain(checksum, bytes, count);
}

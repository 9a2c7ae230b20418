#include "kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))

/// Sixteen bfloat16 as floats.
AVX512 static inline __m512 widen(const uint16_t *b) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)b)), 16));
}

AVX512 static float dot_f32(const float *a, const float *b, size_t count) {
    __m512 even = _mm512_setzero_ps(), odd = _mm512_setzero_ps();
    size_t i = 0;
    for (; i + 32 <= count; i += 32) {
        even = _mm512_fmadd_ps(_mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i), even);
        odd = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + 16), _mm512_loadu_ps(b + i + 16), odd);
    }
    if (i < count) even = _mm512_fmadd_ps(_mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i), even);
    return _mm512_reduce_add_ps(_mm512_add_ps(even, odd));
}

AVX512 static float squared_f32(const float *a, const float *b, size_t count) {
    __m512 even = _mm512_setzero_ps(), odd = _mm512_setzero_ps();
    size_t i = 0;
    for (; i + 32 <= count; i += 32) {
        __m512 first = _mm512_sub_ps(_mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i));
        __m512 second = _mm512_sub_ps(_mm512_loadu_ps(a + i + 16), _mm512_loadu_ps(b + i + 16));
        even = _mm512_fmadd_ps(first, first, even);
        odd = _mm512_fmadd_ps(second, second, odd);
    }
    if (i < count) {
        __m512 first = _mm512_sub_ps(_mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i));
        even = _mm512_fmadd_ps(first, first, even);
    }
    return _mm512_reduce_add_ps(_mm512_add_ps(even, odd));
}

AVX512 static float dot_bf16(const float *a, const uint16_t *b, size_t count) {
    __m512 sum = _mm512_setzero_ps();
    for (size_t i = 0; i < count; i += 16) sum = _mm512_fmadd_ps(_mm512_loadu_ps(a + i), widen(b + i), sum);
    return _mm512_reduce_add_ps(sum);
}

AVX512 static float squared_bf16(const float *a, const uint16_t *b, size_t count) {
    __m512 sum = _mm512_setzero_ps();
    for (size_t i = 0; i < count; i += 16) {
        __m512 difference = _mm512_sub_ps(_mm512_loadu_ps(a + i), widen(b + i));
        sum = _mm512_fmadd_ps(difference, difference, sum);
    }
    return _mm512_reduce_add_ps(sum);
}

AVX512 static int32_t dot_codes(const uint8_t *a, const uint8_t *b, size_t count) {
    const __m512i sign = _mm512_set1_epi8((char)0x80);
    __m512i even = _mm512_setzero_si512(), odd = _mm512_setzero_si512();
    size_t i = 0;
    for (; i + 128 <= count; i += 128) {
        even = _mm512_dpbusd_epi32(even, _mm512_loadu_si512(a + i), _mm512_xor_si512(_mm512_loadu_si512(b + i), sign));
        odd = _mm512_dpbusd_epi32(
            odd, _mm512_loadu_si512(a + i + 64), _mm512_xor_si512(_mm512_loadu_si512(b + i + 64), sign));
    }
    if (i < count)
        even = _mm512_dpbusd_epi32(even, _mm512_loadu_si512(a + i), _mm512_xor_si512(_mm512_loadu_si512(b + i), sign));
    return _mm512_reduce_add_epi32(_mm512_add_epi32(even, odd));
}

AVX512 static inline void fetch(const uint8_t *code, size_t bytes) {
    for (size_t i = 0; i < bytes; i += 64) _mm_prefetch((const char *)code + i, _MM_HINT_T0);
}

/// The sums of four accumulators.
AVX512 static inline __m128i totals(__m512i a, __m512i b, __m512i c, __m512i d) {
    __m512i ab = _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
    __m512i cd = _mm512_add_epi32(_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
    __m512i all = _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
    __m256i half = _mm256_add_epi32(_mm512_castsi512_si256(all), _mm512_extracti64x4_epi64(all, 1));
    return _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
}

// Four codes at a time: a chunk of the query is loaded once for them, and the latencies of their sums overlap.
AVX512 static void dots_slots(const int8_t *query, const uint8_t *base, size_t stride, const int32_t *slots,
                              size_t slot_count, int32_t *dots) {
    size_t n = 0;
    for (; n + 4 <= slot_count; n += 4) {
        for (size_t ahead = n + 4; ahead < n + 8 && ahead < slot_count; ahead++)
            fetch(base + stride * (size_t)slots[ahead], stride);
        const uint8_t *c0 = base + stride * (size_t)slots[n];
        const uint8_t *c1 = base + stride * (size_t)slots[n + 1];
        const uint8_t *c2 = base + stride * (size_t)slots[n + 2];
        const uint8_t *c3 = base + stride * (size_t)slots[n + 3];
        __m512i s0 = _mm512_setzero_si512(), s1 = s0, s2 = s0, s3 = s0;
        for (size_t i = 0; i < stride; i += 64) {
            __m512i chunk = _mm512_loadu_si512(query + i);
            s0 = _mm512_dpbusd_epi32(s0, _mm512_loadu_si512(c0 + i), chunk);
            s1 = _mm512_dpbusd_epi32(s1, _mm512_loadu_si512(c1 + i), chunk);
            s2 = _mm512_dpbusd_epi32(s2, _mm512_loadu_si512(c2 + i), chunk);
            s3 = _mm512_dpbusd_epi32(s3, _mm512_loadu_si512(c3 + i), chunk);
        }
        _mm_storeu_si128((__m128i *)(dots + n), totals(s0, s1, s2, s3));
    }
    for (; n < slot_count; n++) {
        const uint8_t *code = base + stride * (size_t)slots[n];
        __m512i even = _mm512_setzero_si512(), odd = even;
        size_t i = 0;
        for (; i + 128 <= stride; i += 128) {
            even = _mm512_dpbusd_epi32(even, _mm512_loadu_si512(code + i), _mm512_loadu_si512(query + i));
            odd = _mm512_dpbusd_epi32(odd, _mm512_loadu_si512(code + i + 64), _mm512_loadu_si512(query + i + 64));
        }
        if (i < stride) even = _mm512_dpbusd_epi32(even, _mm512_loadu_si512(code + i), _mm512_loadu_si512(query + i));
        dots[n] = _mm512_reduce_add_epi32(_mm512_add_epi32(even, odd));
    }
}

const distance_kernels distance_kernels_avx512 = {
    "AVX-512 VNNI", dot_f32, squared_f32, dot_bf16, squared_bf16, dot_codes, dots_slots,
};
#endif

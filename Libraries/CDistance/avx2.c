#include "kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2,fma")))

AVX2 static inline float total(__m256 a, __m256 b) {
    __m256 sum = _mm256_add_ps(a, b);
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(sum), _mm256_extractf128_ps(sum, 1));
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

AVX2 static inline int32_t total_i32(__m256i sum) {
    __m128i four = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
    __m128i two = _mm_add_epi32(four, _mm_shuffle_epi32(four, _MM_SHUFFLE(1, 0, 3, 2)));
    return _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32(two, _MM_SHUFFLE(2, 3, 0, 1))));
}

/// Eight bfloat16 as floats.
AVX2 static inline __m256 widen(const uint16_t *b) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)b)), 16));
}

AVX2 static float dot_f32(const float *a, const float *b, size_t count) {
    __m256 low = _mm256_setzero_ps(), high = _mm256_setzero_ps();
    for (size_t i = 0; i < count; i += 16) {
        low = _mm256_fmadd_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i), low);
        high = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 8), _mm256_loadu_ps(b + i + 8), high);
    }
    return total(low, high);
}

AVX2 static float squared_f32(const float *a, const float *b, size_t count) {
    __m256 low = _mm256_setzero_ps(), high = _mm256_setzero_ps();
    for (size_t i = 0; i < count; i += 16) {
        __m256 first = _mm256_sub_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i));
        __m256 second = _mm256_sub_ps(_mm256_loadu_ps(a + i + 8), _mm256_loadu_ps(b + i + 8));
        low = _mm256_fmadd_ps(first, first, low);
        high = _mm256_fmadd_ps(second, second, high);
    }
    return total(low, high);
}

AVX2 static float dot_bf16(const float *a, const uint16_t *b, size_t count) {
    __m256 low = _mm256_setzero_ps(), high = _mm256_setzero_ps();
    for (size_t i = 0; i < count; i += 16) {
        low = _mm256_fmadd_ps(_mm256_loadu_ps(a + i), widen(b + i), low);
        high = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 8), widen(b + i + 8), high);
    }
    return total(low, high);
}

AVX2 static float squared_bf16(const float *a, const uint16_t *b, size_t count) {
    __m256 low = _mm256_setzero_ps(), high = _mm256_setzero_ps();
    for (size_t i = 0; i < count; i += 16) {
        __m256 first = _mm256_sub_ps(_mm256_loadu_ps(a + i), widen(b + i));
        __m256 second = _mm256_sub_ps(_mm256_loadu_ps(a + i + 8), widen(b + i + 8));
        low = _mm256_fmadd_ps(first, first, low);
        high = _mm256_fmadd_ps(second, second, high);
    }
    return total(low, high);
}

// VPMADDUBSW multiplies bytes without sign by bytes with one and adds pairs in 16 bits, which saturate. So the 128 on top of a code is taken
// off, its absolute value is the first factor, and its sign goes to the other: two products of 127 and 127 do fit.

AVX2 static inline __m256i products(__m256i code, __m256i other) {
    __m256i value = _mm256_xor_si256(code, _mm256_set1_epi8((char)0x80));
    __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(value), _mm256_sign_epi8(other, value));
    return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
}

AVX2 static inline __m256i load(const void *bytes) { return _mm256_loadu_si256((const __m256i *)bytes); }

/// What 128 more on top of each component of a code add to its product with these bytes.
AVX2 static int32_t offset_of(const int8_t *bytes, size_t count) {
    // Sums of bytes are of those without sign.
    __m256i sum = _mm256_setzero_si256();
    for (size_t i = 0; i < count; i += 32)
        sum = _mm256_add_epi32(sum, _mm256_sad_epu8(_mm256_xor_si256(load(bytes + i), _mm256_set1_epi8((char)0x80)),
                                                    _mm256_setzero_si256()));
    return 128 * (total_i32(sum) - 128 * (int32_t)count);
}

AVX2 static int32_t dot_codes(const uint8_t *a, const uint8_t *b, size_t count) {
    const __m256i sign = _mm256_set1_epi8((char)0x80);
    __m256i sum = _mm256_setzero_si256(), plain = sum;
    for (size_t i = 0; i < count; i += 32) {
        __m256i right = load(b + i);
        sum = _mm256_add_epi32(sum, products(load(a + i), _mm256_xor_si256(right, sign)));
        plain = _mm256_add_epi32(plain, _mm256_sad_epu8(right, _mm256_setzero_si256()));
    }
    return total_i32(sum) + 128 * (total_i32(plain) - 128 * (int32_t)count);
}

/// The sums of four accumulators.
AVX2 static inline __m128i totals(__m256i a, __m256i b, __m256i c, __m256i d) {
    __m256i all = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
    return _mm_add_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1));
}

AVX2 static inline void fetch(const uint8_t *code, size_t bytes) {
    for (size_t i = 0; i < bytes; i += 64) _mm_prefetch((const char *)code + i, _MM_HINT_T0);
}

// Four codes at a time: a chunk of the query is loaded once for them, and the latencies of their sums overlap.
AVX2 static void dots_slots(const int8_t *query, const uint8_t *base, size_t stride, const int32_t *slots,
                            size_t slot_count, int32_t *dots) {
    const int32_t offset = offset_of(query, stride);
    size_t n = 0;
    for (; n + 4 <= slot_count; n += 4) {
        for (size_t ahead = n + 4; ahead < n + 8 && ahead < slot_count; ahead++)
            fetch(base + stride * (size_t)slots[ahead], stride);
        const uint8_t *c0 = base + stride * (size_t)slots[n];
        const uint8_t *c1 = base + stride * (size_t)slots[n + 1];
        const uint8_t *c2 = base + stride * (size_t)slots[n + 2];
        const uint8_t *c3 = base + stride * (size_t)slots[n + 3];
        __m256i s0 = _mm256_setzero_si256(), s1 = s0, s2 = s0, s3 = s0;
        for (size_t i = 0; i < stride; i += 32) {
            __m256i chunk = load(query + i);
            s0 = _mm256_add_epi32(s0, products(load(c0 + i), chunk));
            s1 = _mm256_add_epi32(s1, products(load(c1 + i), chunk));
            s2 = _mm256_add_epi32(s2, products(load(c2 + i), chunk));
            s3 = _mm256_add_epi32(s3, products(load(c3 + i), chunk));
        }
        _mm_storeu_si128((__m128i *)(dots + n), _mm_add_epi32(totals(s0, s1, s2, s3), _mm_set1_epi32(offset)));
    }
    for (; n < slot_count; n++) {
        const uint8_t *code = base + stride * (size_t)slots[n];
        __m256i even = _mm256_setzero_si256(), odd = even;
        for (size_t i = 0; i < stride; i += 64) {
            even = _mm256_add_epi32(even, products(load(code + i), load(query + i)));
            odd = _mm256_add_epi32(odd, products(load(code + i + 32), load(query + i + 32)));
        }
        dots[n] = total_i32(_mm256_add_epi32(even, odd)) + offset;
    }
}

const distance_kernels distance_kernels_avx2 = {
    "AVX2", dot_f32, squared_f32, dot_bf16, squared_bf16, dot_codes, dots_slots,
};
#endif

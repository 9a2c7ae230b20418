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

// VPMADDUBSW would saturate: two products of 255 and 127 do not fit its 16 bits. So the bytes are widened first.

AVX2 static int32_t dot_codes(const uint8_t *a, const uint8_t *b, size_t count) {
    const __m256i offset = _mm256_set1_epi16(128);
    __m256i sum = _mm256_setzero_si256();
    for (size_t i = 0; i < count; i += 16) {
        __m256i left = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(a + i)));
        __m256i right = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(b + i)));
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(left, _mm256_sub_epi16(right, offset)));
    }
    return total_i32(sum);
}

AVX2 static void dots_slots(const int8_t *query, const uint8_t *base, size_t stride, const int32_t *slots,
                            size_t slot_count, int32_t *dots) {
    for (size_t n = 0; n < slot_count; n++) {
        if (n + 2 < slot_count)
            for (size_t i = 0; i < stride; i += 64)
                _mm_prefetch((const char *)base + stride * (size_t)slots[n + 2] + i, _MM_HINT_T0);
        const uint8_t *code = base + stride * (size_t)slots[n];
        __m256i even = _mm256_setzero_si256(), odd = _mm256_setzero_si256();
        for (size_t i = 0; i < stride; i += 32) {
            __m256i left = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(code + i)));
            __m256i right = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(query + i)));
            even = _mm256_add_epi32(even, _mm256_madd_epi16(left, right));
            left = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(code + i + 16)));
            right = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(query + i + 16)));
            odd = _mm256_add_epi32(odd, _mm256_madd_epi16(left, right));
        }
        dots[n] = total_i32(_mm256_add_epi32(even, odd));
    }
}

const distance_kernels distance_kernels_avx2 = {
    "AVX2", dot_f32, squared_f32, dot_bf16, squared_bf16, dot_codes, dots_slots,
};
#endif

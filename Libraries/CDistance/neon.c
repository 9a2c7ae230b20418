#include "kernels.h"

#if defined(__aarch64__)
#include <arm_neon.h>

static inline float32x4_t widen(const uint16_t *b) {
    return vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(b), 16));
}

static float dot_f32(const float *a, const float *b, size_t count) {
    float32x4_t even = vdupq_n_f32(0), odd = even;
    for (size_t i = 0; i < count; i += 8) {
        even = vfmaq_f32(even, vld1q_f32(a + i), vld1q_f32(b + i));
        odd = vfmaq_f32(odd, vld1q_f32(a + i + 4), vld1q_f32(b + i + 4));
    }
    return vaddvq_f32(vaddq_f32(even, odd));
}

static float squared_f32(const float *a, const float *b, size_t count) {
    float32x4_t even = vdupq_n_f32(0), odd = even;
    for (size_t i = 0; i < count; i += 8) {
        float32x4_t first = vsubq_f32(vld1q_f32(a + i), vld1q_f32(b + i));
        float32x4_t second = vsubq_f32(vld1q_f32(a + i + 4), vld1q_f32(b + i + 4));
        even = vfmaq_f32(even, first, first);
        odd = vfmaq_f32(odd, second, second);
    }
    return vaddvq_f32(vaddq_f32(even, odd));
}

static float dot_bf16(const float *a, const uint16_t *b, size_t count) {
    float32x4_t even = vdupq_n_f32(0), odd = even;
    for (size_t i = 0; i < count; i += 8) {
        even = vfmaq_f32(even, vld1q_f32(a + i), widen(b + i));
        odd = vfmaq_f32(odd, vld1q_f32(a + i + 4), widen(b + i + 4));
    }
    return vaddvq_f32(vaddq_f32(even, odd));
}

static float squared_bf16(const float *a, const uint16_t *b, size_t count) {
    float32x4_t even = vdupq_n_f32(0), odd = even;
    for (size_t i = 0; i < count; i += 8) {
        float32x4_t first = vsubq_f32(vld1q_f32(a + i), widen(b + i));
        float32x4_t second = vsubq_f32(vld1q_f32(a + i + 4), widen(b + i + 4));
        even = vfmaq_f32(even, first, first);
        odd = vfmaq_f32(odd, second, second);
    }
    return vaddvq_f32(vaddq_f32(even, odd));
}

// A product of an unsigned and a signed byte fits 16 bits, a sum of two does not: each is widened before it is added.

static int32_t dot_codes(const uint8_t *a, const uint8_t *b, size_t count) {
    const uint8x16_t offset = vdupq_n_u8(0x80);
    int32x4_t sum = vdupq_n_s32(0);
    for (size_t i = 0; i < count; i += 16) {
        uint8x16_t left = vld1q_u8(a + i);
        int8x16_t right = vreinterpretq_s8_u8(veorq_u8(vld1q_u8(b + i), offset));
        int16x8_t low = vmulq_s16(vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(left))), vmovl_s8(vget_low_s8(right)));
        int16x8_t high = vmulq_s16(vreinterpretq_s16_u16(vmovl_high_u8(left)), vmovl_high_s8(right));
        sum = vpadalq_s16(vpadalq_s16(sum, low), high);
    }
    return vaddvq_s32(sum);
}

static void dots_slots(const int8_t *query, const uint8_t *base, size_t stride, const int32_t *slots, size_t slot_count,
                       int32_t *dots) {
    for (size_t n = 0; n < slot_count; n++) {
        if (n + 2 < slot_count)
            for (size_t i = 0; i < stride; i += 64) __builtin_prefetch(base + stride * (size_t)slots[n + 2] + i);
        const uint8_t *code = base + stride * (size_t)slots[n];
        int32x4_t sum = vdupq_n_s32(0);
        for (size_t i = 0; i < stride; i += 16) {
            uint8x16_t left = vld1q_u8(code + i);
            int8x16_t right = vld1q_s8(query + i);
            int16x8_t low = vmulq_s16(vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(left))), vmovl_s8(vget_low_s8(right)));
            int16x8_t high = vmulq_s16(vreinterpretq_s16_u16(vmovl_high_u8(left)), vmovl_high_s8(right));
            sum = vpadalq_s16(vpadalq_s16(sum, low), high);
        }
        dots[n] = vaddvq_s32(sum);
    }
}

const distance_kernels distance_kernels_neon = {
    "NEON", dot_f32, squared_f32, dot_bf16, squared_bf16, dot_codes, dots_slots,
};

// SDOT multiplies signed bytes alone: the 128 on top of a code is taken off before, and added as 128 times the other sum.

#define DOTPROD __attribute__((target("dotprod")))

DOTPROD static int32_t dot_codes_dotprod(const uint8_t *a, const uint8_t *b, size_t count) {
    const uint8x16_t offset = vdupq_n_u8(0x80);
    const int8x16_t ones = vdupq_n_s8(1);
    int32x4_t sum = vdupq_n_s32(0), plain = sum;
    for (size_t i = 0; i < count; i += 16) {
        int8x16_t left = vreinterpretq_s8_u8(veorq_u8(vld1q_u8(a + i), offset));
        int8x16_t right = vreinterpretq_s8_u8(veorq_u8(vld1q_u8(b + i), offset));
        sum = vdotq_s32(sum, left, right);
        plain = vdotq_s32(plain, right, ones);
    }
    return vaddvq_s32(sum) + 128 * vaddvq_s32(plain);
}

DOTPROD static void dots_slots_dotprod(const int8_t *query, const uint8_t *base, size_t stride, const int32_t *slots,
                                       size_t slot_count, int32_t *dots) {
    const uint8x16_t offset = vdupq_n_u8(0x80);
    int32x4_t plain = vdupq_n_s32(0);
    for (size_t i = 0; i < stride; i += 16) plain = vdotq_s32(plain, vld1q_s8(query + i), vdupq_n_s8(1));
    int32_t extra = 128 * vaddvq_s32(plain);
    for (size_t n = 0; n < slot_count; n++) {
        if (n + 2 < slot_count)
            for (size_t i = 0; i < stride; i += 64) __builtin_prefetch(base + stride * (size_t)slots[n + 2] + i);
        const uint8_t *code = base + stride * (size_t)slots[n];
        int32x4_t even = vdupq_n_s32(0), odd = even;
        for (size_t i = 0; i < stride; i += 32) {
            even = vdotq_s32(even, vreinterpretq_s8_u8(veorq_u8(vld1q_u8(code + i), offset)), vld1q_s8(query + i));
            odd = vdotq_s32(
                odd, vreinterpretq_s8_u8(veorq_u8(vld1q_u8(code + i + 16), offset)), vld1q_s8(query + i + 16));
        }
        dots[n] = vaddvq_s32(vaddq_s32(even, odd)) + extra;
    }
}

const distance_kernels distance_kernels_neon_dotprod = {
    "NEON SDOT", dot_f32, squared_f32, dot_bf16, squared_bf16, dot_codes_dotprod, dots_slots_dotprod,
};
#endif

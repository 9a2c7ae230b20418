// What every other kind is tested against, and what runs where there is no other.
#include "kernels.h"

static float dot_f32(const float *a, const float *b, size_t count) {
    // Eight sums hide the adder's latency, and a compiler can keep them in vector registers.
    float sums[8] = {0};
    for (size_t i = 0; i < count; i += 8)
        for (size_t lane = 0; lane < 8; lane++) sums[lane] += a[i + lane] * b[i + lane];
    return ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

static float squared_f32(const float *a, const float *b, size_t count) {
    float sums[8] = {0};
    for (size_t i = 0; i < count; i += 8)
        for (size_t lane = 0; lane < 8; lane++) {
            float difference = a[i + lane] - b[i + lane];
            sums[lane] += difference * difference;
        }
    return ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

static float dot_bf16(const float *a, const uint16_t *b, size_t count) {
    float sums[8] = {0};
    for (size_t i = 0; i < count; i += 8)
        for (size_t lane = 0; lane < 8; lane++) sums[lane] += a[i + lane] * bf16_value(b[i + lane]);
    return ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

static float squared_bf16(const float *a, const uint16_t *b, size_t count) {
    float sums[8] = {0};
    for (size_t i = 0; i < count; i += 8)
        for (size_t lane = 0; lane < 8; lane++) {
            float difference = a[i + lane] - bf16_value(b[i + lane]);
            sums[lane] += difference * difference;
        }
    return ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

static int32_t dot_codes(const uint8_t *a, const uint8_t *b, size_t count) {
    int32_t sum = 0;
    for (size_t i = 0; i < count; i++) sum += a[i] * (b[i] - 128);
    return sum;
}

static void dots_slots(const int8_t *query, const uint8_t *base, size_t stride, const int32_t *slots, size_t slot_count,
                       int32_t *dots) {
    for (size_t n = 0; n < slot_count; n++) {
        const uint8_t *code = base + stride * (size_t)slots[n];
        int32_t sum = 0;
        for (size_t i = 0; i < stride; i++) sum += code[i] * query[i];
        dots[n] = sum;
    }
}

const distance_kernels distance_kernels_scalar = {
    "scalar", dot_f32, squared_f32, dot_bf16, squared_bf16, dot_codes, dots_slots,
};

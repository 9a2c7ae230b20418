#ifndef CDISTANCE_KERNELS_H
#define CDISTANCE_KERNELS_H

#include "CDistance.h"

extern const distance_kernels distance_kernels_scalar;

#if defined(__x86_64__)
extern const distance_kernels distance_kernels_avx2;
extern const distance_kernels distance_kernels_avx512;
#elif defined(__aarch64__)
extern const distance_kernels distance_kernels_neon;
extern const distance_kernels distance_kernels_neon_dotprod;
#endif

static inline float bf16_value(uint16_t bits) {
    union { uint32_t bits; float value; } both = {(uint32_t)bits << 16};
    return both.value;
}

#endif

#ifndef CDISTANCE_H
#define CDISTANCE_H

#include <stddef.h>
#include <stdint.h>

#include "memory.h"

/// The arithmetic between two vectors, once for each kind of processor.
///
/// Runs of floats and of bfloat16 have a length that is a multiple of 16, codes one of 64; what is stored is padded so that
/// the padding adds nothing. A code is a component scaled to -127...127. Stored codes carry 128 on top, because the
/// instruction that multiplies bytes (VPDPBUSD) takes one operand without and one with sign.
typedef struct distance_kernels {
    const char *name;

    /// Sum of a[i] * b[i].
    float (*dot_f32)(const float *a, const float *b, size_t count);
    /// Sum of (a[i] - b[i])^2.
    float (*squared_f32)(const float *a, const float *b, size_t count);

    /// The same where b is stored as bfloat16, the upper half of a float.
    float (*dot_bf16)(const float *a, const uint16_t *b, size_t count);
    float (*squared_bf16)(const float *a, const uint16_t *b, size_t count);

    /// Sum of a[i] * (b[i] - 128), for two stored codes.
    int32_t (*dot_codes)(const uint8_t *a, const uint8_t *b, size_t count);

    /// For each of the stored codes base + stride * slots[n]: dots[n] = sum of code[i] * query[i]. The codes of the slots
    /// to come are fetched while those before are multiplied.
    void (*dots_slots)(const int8_t *query, const uint8_t *base, size_t stride, const int32_t *slots, size_t slot_count,
                       int32_t *dots);
} distance_kernels;

/// The fastest that this processor can run. Looks at the processor at the first call.
const distance_kernels *distance_kernels_best(void);

/// Each that this processor can run, the plain C ones first; NULL behind the last.
const distance_kernels *distance_kernels_at(size_t index);

#endif

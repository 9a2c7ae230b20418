#include "kernels.h"

#if defined(__aarch64__)
#include <sys/auxv.h>
#endif

const distance_kernels *distance_kernels_at(size_t index) {
    const distance_kernels *found[4] = {&distance_kernels_scalar};
    size_t count = 1;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) found[count++] = &distance_kernels_avx2;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")
        && __builtin_cpu_supports("avx512vnni"))
        found[count++] = &distance_kernels_avx512;
#elif defined(__aarch64__)
    found[count++] = &distance_kernels_neon;
    // HWCAP_ASIMDDP of <asm/hwcap.h>.
    if (getauxval(AT_HWCAP) & (1 << 20)) found[count++] = &distance_kernels_neon_dotprod;
#endif
    return index < count ? found[index] : NULL;
}

const distance_kernels *distance_kernels_best(void) {
    const distance_kernels *best = distance_kernels_at(0);
    for (size_t index = 1; distance_kernels_at(index); index++) best = distance_kernels_at(index);
    return best;
}

#ifndef CCHECKSUM_H
#define CCHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/// CRC-32C (Castagnoli, RFC 3720 appendix B.4) of bytes that follow those which gave `checksum`; 0 before the first.
///
/// By the processor's instruction where it has one, which is looked at in the first call.
uint32_t checksum_crc32c(uint32_t checksum, const void *bytes, size_t count);

/// The same by a table: what runs where there is no instruction, and what the other is tested against.
uint32_t checksum_crc32c_plain(uint32_t checksum, const void *bytes, size_t count);

#endif

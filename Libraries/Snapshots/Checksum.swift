internal import CChecksum

/// CRC-32C. It tells any change of up to three bits of a block, any that lies within 32 bits, and all but one in four billion of the others.
package enum Checksum {
    package static func of(_ bytes: RawSpan) -> UInt32 {
        unsafe bytes.withUnsafeBytes { unsafe checksum_crc32c(0, $0.baseAddress, $0.count) }
    }

    /// By the table that is used where the processor has no instruction for it.
    package static func plain(_ bytes: RawSpan) -> UInt32 {
        unsafe bytes.withUnsafeBytes { unsafe checksum_crc32c_plain(0, $0.baseAddress, $0.count) }
    }
}

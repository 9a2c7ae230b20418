internal import CLZ4

/// Packs and unpacks bytes as one LZ4 block (lz4_Block_format.md): some 500 MB/s in and 2 GB/s out on one core.
///
/// A block says neither how long it is nor what comes out of it, so who keeps one keeps both beside it.
package enum LZ4 {
    /// More than this cannot be packed (LZ4_MAX_INPUT_SIZE).
    package static let maxBytes = 0x7E00_0000

    /// Packs the bytes; `nil` if that makes nothing smaller.
    package static func compress(_ bytes: Span<UInt8>) -> [UInt8]? {
        guard bytes.count > 0, bytes.count <= maxBytes else { return nil }
        // Room for the worst case lets LZ4 write without asking after each sequence whether there is some left.
        let capacity = Int(LZ4_compressBound(Int32(bytes.count)))
        let packed = unsafe [UInt8](unsafeUninitializedCapacity: capacity) { place, count in
            count = unsafe bytes.withUnsafeBufferPointer { source in
                let written = unsafe source.withMemoryRebound(to: CChar.self) { source in
                    unsafe place.withMemoryRebound(to: CChar.self) { place in
                        unsafe LZ4_compress_default(
                            source.baseAddress, place.baseAddress, Int32(source.count), Int32(capacity))
                    }
                }
                return Int(max(0, written))
            }
        }
        return packed.isEmpty || packed.count >= bytes.count ? nil : packed
    }

    /// Unpacks a block that holds exactly so many bytes. Never writes more, whatever the block says.
    ///
    /// Throws for bytes that are no such block. The caller bounds `count`: that much memory is set aside first.
    package static func decompress(_ block: Span<UInt8>, count: Int) throws(LZ4Error) -> [UInt8] {
        guard count >= 0, count <= maxBytes, block.count <= maxBytes else { throw .malformed }
        var written = -1
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { place, filled in
            written = unsafe block.withUnsafeBufferPointer { source in
                let written = unsafe source.withMemoryRebound(to: CChar.self) { source in
                    unsafe place.withMemoryRebound(to: CChar.self) { place in
                        unsafe LZ4_decompress_safe(source.baseAddress, place.baseAddress, Int32(source.count), Int32(count))
                    }
                }
                return Int(written)
            }
            filled = max(0, written)
        }
        guard written == count else { throw .malformed }
        return bytes
    }
}

package enum LZ4Error: Error, Hashable, CustomStringConvertible {
    /// The bytes are no block, or one of another length.
    case malformed

    package var description: String { "The bytes are not an LZ4 block of the length that they should have." }
}

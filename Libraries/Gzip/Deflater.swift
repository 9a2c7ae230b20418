internal import CZlib

/// Packs one message.
@safe
struct Deflater: ~Copyable {
    private let stream = ZStream()

    /// Level 6 is zlib's own compromise; memory level 8 its default.
    init() throws(GzipError) {
        let code = unsafe stream.call { stream in
            unsafe deflateInit2_(
                stream, 6, Z_DEFLATED, ZStream.gzipWindowBits, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
                Int32(MemoryLayout<z_stream>.size))
        }
        if code != Z_OK { throw .failed(code: code) }
    }

    deinit {
        // It fails for a stream in the midst of its work, which frees it all the same.
        _ = unsafe stream.call { unsafe deflateEnd($0) }
    }

    mutating func pack(_ bytes: ArraySlice<UInt8>) throws(GzipError) -> [UInt8] {
        unsafe try stream.withInput(bytes) { (stream: UnsafeMutablePointer<z_stream>) throws(GzipError) -> [UInt8] in
            // The bound is the most that one call can make of it, so one call is enough.
            let bound = unsafe Int(deflateBound(stream, UInt(bytes.count)))
            var code = Z_STREAM_ERROR
            let packed = unsafe [UInt8](unsafeUninitializedCapacity: bound) { place, count in
                unsafe stream.pointee.next_out = place.baseAddress
                unsafe stream.pointee.avail_out = UInt32(clamping: bound)
                code = unsafe deflate(stream, Z_FINISH)
                count = unsafe Int(UInt32(clamping: bound) - stream.pointee.avail_out)
                unsafe stream.pointee.next_out = nil
            }
            guard code == Z_STREAM_END else { throw GzipError.failed(code: code) }
            return packed
        }
    }
}

internal import CZlib

/// Unpacks one message, piece by piece, so that its size is known before there is more of it than allowed.
@safe
struct Inflater: ~Copyable {
    private let stream = ZStream()

    /// What is unpacked at a time. A small message fits into the first piece.
    private static let pieceBytes = 16 << 10

    init() throws(GzipError) {
        let code = unsafe stream.call { stream in
            unsafe inflateInit2_(stream, ZStream.gzipWindowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        }
        if code != Z_OK { throw .failed(code: code) }
    }

    deinit {
        // It fails only for a stream that was never set up.
        _ = unsafe stream.call { unsafe inflateEnd($0) }
    }

    mutating func unpack(_ bytes: ArraySlice<UInt8>, limit: Int) throws(GzipError) -> [UInt8] {
        unsafe try stream.withInput(bytes) { (stream: UnsafeMutablePointer<z_stream>) throws(GzipError) -> [UInt8] in
            var unpacked: [UInt8] = []
            let piece = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: Inflater.pieceBytes)
            defer { unsafe piece.deallocate() }
            while true {
                unsafe stream.pointee.next_out = piece.baseAddress
                unsafe stream.pointee.avail_out = UInt32(piece.count)
                let code = unsafe inflate(stream, Z_NO_FLUSH)
                let count = unsafe piece.count - Int(stream.pointee.avail_out)
                guard unpacked.count + count <= limit else { throw GzipError.tooLarge(limit: limit) }
                unsafe unpacked.append(contentsOf: piece[..<count])
                switch code {
                case Z_STREAM_END:
                    guard unsafe stream.pointee.avail_in == 0 else { throw GzipError.trailingBytes }
                    return unpacked
                case Z_OK where count > 0: continue
                case Z_OK, Z_BUF_ERROR: throw GzipError.cutShort
                case Z_DATA_ERROR, Z_NEED_DICT: throw GzipError.malformed
                default: throw GzipError.failed(code: code)
                }
            }
        }
    }
}

internal import CNghttp2

/// Header fields that many messages have in common, laid out once as nghttp2 wants them, which neither copies nor
/// measures them again.
@safe
package final class HTTP2FixedFields: @unchecked Sendable {
    // Both are written in `init` and only read afterwards.
    let fields: UnsafeMutableBufferPointer<nghttp2_nv>
    private let text: UnsafeMutableBufferPointer<UInt8>

    package init(_ headers: [HTTP2Header]) {
        let bytes = headers.flatMap { Array($0.name.utf8) + Array($0.value.utf8) }
        unsafe text = .allocate(capacity: bytes.count)
        _ = unsafe text.initialize(from: bytes)
        unsafe fields = .allocate(capacity: headers.count)
        let flags = UInt8(NGHTTP2_NV_FLAG_NO_COPY_NAME.rawValue | NGHTTP2_NV_FLAG_NO_COPY_VALUE.rawValue)
        var start = 0
        for (index, header) in headers.enumerated() {
            let (name, value) = (header.name.utf8.count, header.value.utf8.count)
            let place = unsafe text.baseAddress?.advanced(by: start)
            unsafe fields.initializeElement(
                at: index,
                to: nghttp2_nv(
                    name: place,
                    value: place?.advanced(by: name),
                    namelen: name,
                    valuelen: value,
                    flags: flags
                )
            )
            start += name + value
        }
    }

    deinit {
        unsafe fields.deallocate()
        unsafe text.deallocate()
    }
}

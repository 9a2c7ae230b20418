internal import CNghttp2

/// Lends nghttp2 a list of header fields for one call, which copies what it keeps.
@safe
struct HeaderArena {
    private var bytes: [UInt8] = []
    private var lengths: [(name: Int, value: Int)] = []

    mutating func withFields<Result>(
        _ headers: [HTTP2Header],
        _ body: (UnsafePointer<nghttp2_nv>?, Int) -> Result
    ) -> Result {
        bytes.removeAll(keepingCapacity: true)
        lengths.removeAll(keepingCapacity: true)
        for header in headers {
            bytes.append(contentsOf: header.name.utf8)
            bytes.append(contentsOf: header.value.utf8)
            lengths.append((header.name.utf8.count, header.value.utf8.count))
        }
        return unsafe bytes.withUnsafeMutableBufferPointer { text in
            unsafe withUnsafeTemporaryAllocation(of: nghttp2_nv.self, capacity: lengths.count) { fields in
                var next = text.baseAddress
                for (index, length) in lengths.enumerated() {
                    let value = unsafe next?.advanced(by: length.name)
                    unsafe fields.initializeElement(
                        at: index,
                        to: nghttp2_nv(
                            name: next,
                            value: value,
                            namelen: length.name,
                            valuelen: length.value,
                            flags: UInt8(NGHTTP2_NV_FLAG_NONE.rawValue)
                        )
                    )
                    unsafe next = value?.advanced(by: length.value)
                }
                return unsafe body(UnsafePointer(fields.baseAddress), lengths.count)
            }
        }
    }
}

internal import CNghttp2

/// Lends nghttp2 a list of header fields for one call, which copies what it keeps of them. Fixed fields stay where they
/// are instead, and are kept until the session is gone.
@safe
struct HeaderArena {
    private var bytes: [UInt8] = []
    private var lengths: [(name: Int, value: Int)] = []
    private var fixed: [HTTP2FixedFields] = []

    mutating func withFields<Result>(
        _ first: HTTP2FixedFields?,
        _ headers: [HTTP2Header],
        _ body: (UnsafePointer<nghttp2_nv>?, Int) -> Result
    ) -> Result {
        if let first {
            keep(first)
            if headers.isEmpty { return unsafe body(UnsafePointer(first.fields.baseAddress), first.fields.count) }
        }
        bytes.removeAll(keepingCapacity: true)
        lengths.removeAll(keepingCapacity: true)
        for header in headers {
            bytes.append(contentsOf: header.name.utf8)
            bytes.append(contentsOf: header.value.utf8)
            lengths.append((header.name.utf8.count, header.value.utf8.count))
        }
        let fixedCount = unsafe first?.fields.count ?? 0
        return unsafe bytes.withUnsafeMutableBufferPointer { text in
            unsafe withUnsafeTemporaryAllocation(of: nghttp2_nv.self, capacity: fixedCount + lengths.count) { fields in
                if let first { _ = unsafe fields.initialize(fromContentsOf: first.fields) }
                var next = text.baseAddress
                for (index, length) in lengths.enumerated() {
                    let value = unsafe next?.advanced(by: length.name)
                    unsafe fields.initializeElement(
                        at: fixedCount + index,
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
                return unsafe body(UnsafePointer(fields.baseAddress), fixedCount + lengths.count)
            }
        }
    }

    /// There are as many as an application has kinds of messages, and one is used again and again.
    private mutating func keep(_ fields: HTTP2FixedFields) {
        if let last = fixed.last, last === fields { return }
        if let index = fixed.firstIndex(where: { $0 === fields }) {
            fixed.swapAt(index, fixed.count - 1)
        } else {
            fixed.append(fields)
        }
    }
}

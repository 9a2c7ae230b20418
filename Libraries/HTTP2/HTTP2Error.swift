internal import CNghttp2

/// A session that cannot go on, or a request to it that it refused. The number is nghttp2's, kept as it came.
package struct HTTP2Error: Error, Sendable, Hashable, CustomStringConvertible {
    package let code: Int32
    package let reason: String

    init(code: Int32) {
        self.code = code
        self.reason = unsafe String(cString: nghttp2_strerror(code))
    }

    package var description: String { "HTTP/2: \(reason)" }
}

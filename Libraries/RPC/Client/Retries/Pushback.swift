/// What a server says about trying again, in `grpc-retry-pushback-ms` (gRFC A6, "Pushback").
package enum Pushback: Hashable {
    case none
    case after(Duration)
    /// It asks not to be tried again: by a negative number, or by what is no number.
    case never

    package static let name = "grpc-retry-pushback-ms"

    init(_ trailers: Metadata) {
        let values = trailers.values(for: Pushback.name)
        guard let value = values.first else {
            self = .none
            return
        }
        // "An ASCII encoded signed 32-bit integer with no unnecessary leading zeros."
        guard values.count == 1, let milliseconds = Int32(value), String(milliseconds) == value, milliseconds >= 0 else {
            self = .never
            return
        }
        self = .after(.milliseconds(Int64(milliseconds)))
    }
}

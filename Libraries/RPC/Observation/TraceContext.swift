internal import Synchronization

/// The place of a call in a trace that crosses programs, as W3C Trace Context carries it in `traceparent` and
/// `tracestate`.
///
/// A server takes it from its caller, or begins a trace; a channel hands `current` on. Where nothing records spans, the
/// ids go on unchanged, so that a trace does not break at a program that records none.
package struct TraceContext: Sendable, Hashable {
    private let high: UInt64
    private let low: UInt64
    private let parent: UInt64
    private let flags: UInt8
    /// What tracing systems have added, handed on unread.
    package let state: String?

    private init(high: UInt64, low: UInt64, parent: UInt64, flags: UInt8, state: String?) {
        self.high = high
        self.low = low
        self.parent = parent
        self.flags = flags
        self.state = state
    }

    /// The id's 128 bits.
    package var traceBits: (high: UInt64, low: UInt64) { (high, low) }

    /// 32 lower-case hexadecimal digits.
    package var traceID: String { Hexadecimal.digits(of: high) + Hexadecimal.digits(of: low) }

    /// As the header says it: version, trace, parent, flags.
    package var traceparent: String {
        "00-\(traceID)-\(Hexadecimal.digits(of: parent))-" + Hexadecimal.digits(of: flags)
    }

    /// Whether the caller records the trace.
    package var isSampled: Bool { flags & 1 != 0 }

    /// The same, to be recorded.
    package var sampled: TraceContext {
        TraceContext(high: high, low: low, parent: parent, flags: flags | 1, state: state)
    }
}

extension TraceContext {
    /// What a caller sent; `nil` when there is none or it is not well formed, and then a trace begins anew.
    package init?(_ metadata: Metadata) {
        guard !metadata.isEmpty, let header = metadata["traceparent"] else { return nil }
        let states = metadata.values(for: "tracestate").joined(separator: ",")
        // Longer ones need not be kept (section 3.3.1.5 of the recommendation), and a part of one may not. What is no ASCII could not be handed on.
        let isKept = (1...512).contains(states.utf8.count) && states.isPrintableASCII
        self.init(traceparent: header, state: isKept ? states : nil)
    }

    /// Reads version 00, and of later versions the part that they have in common with it.
    package init?(traceparent: String, state: String? = nil) {
        var text = traceparent
        let read = text.withUTF8 { unsafe TraceContext.read($0) }
        guard let read, (read.high | read.low) != 0, read.parent != 0 else { return nil }
        self.init(high: read.high, low: read.low, parent: read.parent, flags: read.flags, state: state)
    }

    private static func read(
        _ bytes: UnsafeBufferPointer<UInt8>
    ) -> (high: UInt64, low: UInt64, parent: UInt64, flags: UInt8)? {
        let bytes = unsafe bytes.span
        let dash = UInt8(ascii: "-")
        guard bytes.count >= 55, bytes[2] == dash, bytes[35] == dash, bytes[52] == dash,
            let version = Hexadecimal.number(bytes, 0, 2), version != 0xff,
            version == 0 ? bytes.count == 55 : bytes.count == 55 || bytes[55] == dash,
            let high = Hexadecimal.number(bytes, 3, 16), let low = Hexadecimal.number(bytes, 19, 16),
            let parent = Hexadecimal.number(bytes, 36, 16), let flags = Hexadecimal.number(bytes, 53, 2)
        else { return nil }
        return (high, low, parent, UInt8(flags))
    }

    /// Begins a trace that nobody records yet. Its ids are unique, and no secret.
    package static func make() -> TraceContext {
        let count = count.add(1, ordering: .relaxed).newValue
        let low = mixed(seed.low &+ count)
        return TraceContext(high: seed.high, low: low, parent: mixed(low) | 1, flags: 0, state: nil)
    }

    /// Adds the two headers, unless a call has its own.
    package func write(into metadata: inout Metadata) {
        guard metadata["traceparent"] == nil else { return }
        metadata.add("traceparent", value: traceparent)
        if let state { metadata["tracestate"] = state }
    }

    private static let seed = (high: UInt64.random(in: 1 ... .max), low: UInt64.random(in: 0 ... .max))
    private static let count = Atomic<UInt64>(0)

    /// The last step of SplitMix64: one to one, so no two counts give the same.
    private static func mixed(_ number: UInt64) -> UInt64 {
        var number = number &* 0x9E37_79B9_7F4A_7C15
        number = (number ^ (number >> 30)) &* 0xBF58_476D_1CE4_E5B9
        number = (number ^ (number >> 27)) &* 0x94D0_49BB_1331_11EB
        return number ^ (number >> 31)
    }
}

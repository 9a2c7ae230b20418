/// What is fuzzed. A target takes any bytes, and throws a `Finding` when they make the code break a promise.
enum FuzzTarget: String, CaseIterable, Sendable {
    /// An HTTP/2 session in either role, with gRPC's rules on top of its events.
    case session
    /// A server's connection with handlers behind it, from the bytes of its socket to those of its answer.
    case server
    /// gRPC's message frames, and gzip inside them.
    case framing
    /// Header fields, timeouts, percent-encoding and base64.
    case heads
    /// The generated messages and their JSON.
    case contracts
    /// Files of FHIR, entry by entry.
    case fhir

    /// A runner belongs to the thread that made it.
    func runner() -> (_ bytes: [UInt8]) throws -> Void {
        switch self {
        case .session: { try SessionFuzz.run($0) }
        case .server: ServerFuzz().run
        case .framing: { try FramingFuzz.run($0) }
        case .heads: { try HeadsFuzz.run($0) }
        case .contracts: { try ContractsFuzz.run($0) }
        case .fhir: { try FHIRFuzz.run($0) }
        }
    }
}

/// A promise that some input broke.
struct Finding: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }

    static func unless(_ holds: Bool, _ description: @autoclosure () -> String) throws {
        if !holds { throw Finding(description()) }
    }
}

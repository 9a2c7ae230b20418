internal import HTTP2

/// How a message is packed on the wire (gRPC's compression.md).
package enum MessageEncoding: Sendable, Hashable {
    /// As it is.
    case identity
    case gzip

    /// `nil` for an encoding that is not read here.
    init?(wireName: String) {
        switch wireName {
        case "identity": self = .identity
        case "gzip": self = .gzip
        default: return nil
        }
    }

    /// What `grpc-accept-encoding` says of both sides.
    static let accepted = "identity,gzip"
}

/// What the other side said about packed messages in the head of a call.
struct PeerCompression: Sendable, Hashable {
    enum Acceptance: Sendable, Hashable {
        /// It said nothing of what it reads.
        case unsaid
        case gzip
        case others
    }

    /// Its `grpc-encoding`: how a message of its is packed whose flag says that it is.
    var encoding = MessageEncoding.identity
    /// What its `grpc-accept-encoding` means.
    var accepts = Acceptance.unsaid
}

/// Reads `grpc-accept-encoding`, which a peer repeats with every call, once.
struct AcceptedEncodings {
    private var list: [UInt8] = []
    private var acceptance = PeerCompression.Acceptance.others
    /// A longer list is read each time.
    private static let maxKeptBytes = 256

    mutating func read(_ list: RawSpan) -> PeerCompression.Acceptance {
        if list.byteCount == self.list.count, list.equals(self.list) { return acceptance }
        let acceptance = AcceptedEncodings.acceptance(String(copying: list))
        if list.byteCount <= AcceptedEncodings.maxKeptBytes {
            self.list = [UInt8](copying: list)
            self.acceptance = acceptance
        }
        return acceptance
    }

    static func acceptance(_ list: String) -> PeerCompression.Acceptance {
        let namesGzip = list.utf8.split(separator: UInt8(ascii: ",")).contains { name in
            let isSpace: (UInt8) -> Bool = { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
            return Array(name.drop(while: isSpace).prefix { !isSpace($0) }) == Array("gzip".utf8)
        }
        return namesGzip ? .gzip : .others
    }
}

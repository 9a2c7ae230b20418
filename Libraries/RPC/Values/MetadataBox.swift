internal import Synchronization

/// Metadata that several parts of one call fill before it is sent. A copy refers to the same metadata.
package final class MetadataBox: Sendable {
    private let metadata: Mutex<Metadata>

    package init(_ metadata: Metadata = [:]) {
        self.metadata = Mutex(metadata)
    }

    /// Replaces every value under the name.
    package func set(_ name: String, _ value: String) {
        metadata.withLock { $0[name] = value }
    }

    package func add(_ name: String, value: String) {
        metadata.withLock { $0.add(name, value: value) }
    }

    /// The name must end in `-bin`.
    package func add(_ name: String, binary bytes: [UInt8]) {
        metadata.withLock { $0.add(name, binary: bytes) }
    }

    /// Replaces everything.
    package func replace(with metadata: Metadata) {
        self.metadata.withLock { $0 = metadata }
    }

    package var contents: Metadata { metadata.withLock { $0 } }
}

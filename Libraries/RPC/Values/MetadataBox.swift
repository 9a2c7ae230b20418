internal import Synchronization

/// Metadata that several parts of one call fill before it is sent. A copy refers to the same metadata.
package struct MetadataBox: Sendable {
    private let holder: MetadataHolder
    private let isSecond: Bool

    package init(_ metadata: Metadata = [:]) {
        self.init(MetadataHolder(metadata), isSecond: false)
    }

    fileprivate init(_ holder: MetadataHolder, isSecond: Bool) {
        self.holder = holder
        self.isSecond = isSecond
    }

    /// Replaces every value under the name.
    package func set(_ name: String, _ value: String) {
        change { $0[name] = value }
    }

    package func add(_ name: String, value: String) {
        change { $0.add(name, value: value) }
    }

    /// The name must end in `-bin`.
    package func add(_ name: String, binary bytes: [UInt8]) {
        change { $0.add(name, binary: bytes) }
    }

    /// Replaces everything.
    package func replace(with metadata: Metadata) {
        change { $0 = metadata }
    }

    package var contents: Metadata { holder.metadata.withLock { isSecond ? $0.1 : $0.0 } }

    /// Whether the messages behind this head are packed unless told otherwise.
    var asksForCompression: Bool { holder.compression.isAsked }

    /// Asks for packed messages. `false` when the head has left without.
    @discardableResult
    func askForCompression() -> Bool { holder.compression.ask() }

    /// This head leaves. Whether it has to announce packed messages.
    func settleCompression() -> Bool { holder.compression.settle() }

    private func change(_ body: (inout Metadata) -> Void) {
        holder.metadata.withLock { isSecond ? body(&$0.1) : body(&$0.0) }
    }
}

/// Holds both boxes of a call: what goes before the first message, and what goes behind the status.
class MetadataHolder: @unchecked Sendable {
    // The mutex guards all there is here; what a subclass adds is its own concern.
    fileprivate let metadata: Mutex<(Metadata, Metadata)>
    fileprivate let compression = CompressionChoice()

    init(_ first: Metadata = Metadata()) {
        metadata = Mutex((first, Metadata()))
    }

    final var beforeMessages: MetadataBox { MetadataBox(self, isSecond: false) }
    final var behindStatus: MetadataBox { MetadataBox(self, isSecond: true) }
}

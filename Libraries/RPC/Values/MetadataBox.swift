internal import Synchronization

/// Metadata that several parts of one call fill before it is sent. A copy refers to the same metadata.
package struct MetadataBox: Sendable {
    private let holder: Holder
    private let isSecond: Bool

    /// The two boxes of a call share one object.
    private final class Holder: Sendable {
        let metadata: Mutex<(Metadata, Metadata)>

        init(_ first: Metadata) {
            metadata = Mutex((first, Metadata()))
        }
    }

    package init(_ metadata: Metadata = [:]) {
        self.init(holder: Holder(metadata), isSecond: false)
    }

    private init(holder: Holder, isSecond: Bool) {
        self.holder = holder
        self.isSecond = isSecond
    }

    /// One for what goes before the first message, and one for what goes behind the status.
    static func pair() -> (MetadataBox, MetadataBox) {
        let holder = Holder(Metadata())
        return (MetadataBox(holder: holder, isSecond: false), MetadataBox(holder: holder, isSecond: true))
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

    private func change(_ body: (inout Metadata) -> Void) {
        holder.metadata.withLock { isSecond ? body(&$0.1) : body(&$0.0) }
    }
}

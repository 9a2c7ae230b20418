internal import Synchronization

/// How large the messages of a call were as they travelled: each with the five bytes that frame it.
package struct MessageBytes: Sendable, Hashable {
    package let request: Int
    package let response: Int
}

/// Holds what the caller of a channel's call is told around its messages, and how large these were.
final class ClientCallHolder: MetadataHolder, @unchecked Sendable {
    private let requestBytes = Atomic<Int>(-1)
    private let responseBytes = Atomic<Int>(0)

    /// `nil` until the call has ended, and when no server was sent it.
    var messageBytes: MessageBytes? {
        let request = requestBytes.load(ordering: .acquiring)
        return request < 0 ? nil : MessageBytes(request: request, response: responseBytes.load(ordering: .relaxed))
    }

    /// On the event loop of the call, when it ends.
    func note(_ bytes: MessageBytes) {
        responseBytes.store(bytes.response, ordering: .relaxed)
        requestBytes.store(bytes.request, ordering: .releasing)
    }
}

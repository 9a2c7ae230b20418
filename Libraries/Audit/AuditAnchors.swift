internal import FoundationEssentials
package import Redis
internal import Synchronization
internal import Time

/// Keeps the end of a process' chain in Redis, so that events which are cut off a chain's end in the database are missed.
///
/// Only the newest end matters, so those between are passed over. One is written a second: the durable Redis puts each on its disk, and
/// answers nobody meanwhile, such as the calls that ask it for their session.
package final class AuditAnchors: Sendable {
    /// A hash of writers, each with the anchor of its chain's end.
    package static let key = "heartguard:audit:heads"

    private struct State {
        var next: AuditHead?
        var isFinished = false
    }

    private let state = Mutex(State())
    private let arrival = WakeUp()
    /// Of its own, so that what arrives between two that are written does not wake whoever waits for the second to pass.
    private let end = WakeUp()
    private static let interval = Duration.seconds(1)

    func set(_ head: AuditHead) {
        state.withLock { $0.next = head }
        arrival.signal()
    }

    /// Nothing comes any more.
    func finish() {
        state.withLock { $0.isFinished = true }
        arrival.signal()
        end.signal()
    }

    /// Until `finish`, whatever Redis says.
    func run(_ redis: Redis?) async {
        guard let redis else { return }
        while true {
            let (head, isFinished) = state.withLock { state in (state.next.take(), state.isFinished) }
            if let head {
                do throws(RedisError) {
                    try await redis.send(["HSET", Self.key, head.writer.text, head.anchor])
                } catch {
                    if isFinished { return }
                    state.withLock { state in if state.next == nil { state.next = head } }
                }
                if !state.withLock({ $0.isFinished }) { await end.wait(until: .now + Self.interval) }
            } else if isFinished {
                return
            } else {
                await arrival.wait(until: nil)
            }
        }
    }

    /// Every end that is kept. Throws `.unexpectedReply` for what no recorder wrote.
    package static func heads(in redis: Redis) async throws(RedisError) -> [AuditHead] {
        guard case .array(let values) = try await redis.send(["HGETALL", key]), values.count.isMultiple(of: 2) else {
            throw .unexpectedReply(to: "HGETALL")
        }
        var heads: [AuditHead] = []
        for index in stride(from: 0, to: values.count, by: 2) {
            guard case .bytes(let writer) = values[index], case .bytes(let anchor) = values[index + 1],
                let head = AuditHead(writer: String(decoding: writer, as: UTF8.self), anchor: String(decoding: anchor, as: UTF8.self))
            else { throw .unexpectedReply(to: "HGETALL of the ends of chains") }
            heads.append(head)
        }
        return heads
    }
}

import RPC
import Synchronization
import Testing
import Time

@Suite struct `A connection that has become too old` {
    /// Where the calls came from, each place once.
    private final class Peers: Sendable {
        private let seen = Mutex<Set<String>>([])

        func note(_ peer: String) { _ = seen.withLock { $0.insert(peer) } }
        var count: Int { seen.withLock { $0.count } }
    }

    @Test func `is replaced while calls go on, and none of them fails`() async throws {
        let peers = Peers()
        let handler = MethodHandler.unary(Notes.say) { note, context in
            peers.note(context.peer)
            return note
        }

        try await withLoopback([handler], server: { $0.maxConnectionAge = .milliseconds(100) }) { loopback in
            let deadline = Deadline.after(.seconds(20))
            while peers.count < 4, !deadline.hasPassed {
                let answer = try await loopback.channel.unary(Notes.say, "a")
                #expect(answer == "a")
            }
        }

        #expect(peers.count >= 4)
    }

    @Test func `lets a stream that is under way go on for its grace`() async throws {
        let handler = MethodHandler.bidirectional(Notes.chat) { requests, responses, _ in
            for try await note in requests { try await responses.write(note) }
        }
        let other = MethodHandler.unary(Notes.say) { Note($1.peer + $0.text) }

        let peers = try await withLoopback([handler, other], server: { $0.maxConnectionAge = .milliseconds(50) }) { loopback in
            try await loopback.channel.bidirectional(Notes.chat) { requests, responses in
                var answers = responses.makeAsyncIterator()
                var peers: Set<String> = []
                let deadline = Deadline.after(.seconds(20))
                // The connection of the stream is drained when calls have begun to come from another one.
                while peers.count < 2, !deadline.hasPassed {
                    peers.insert(try await loopback.channel.unary(Notes.say, "").text)
                    try await requests.write("still here")
                    let answer = try await answers.next()
                    #expect(answer == "still here")
                }
                requests.finish()
                let last = try await answers.next()
                #expect(last == nil)
                return peers
            }
        }

        #expect(peers.count == 2)
    }
}

import Synchronization
import TestSupport
import Testing

@testable import Cache

/// The channel away, and Redis there.
@Suite struct `A cache that hears of no changes` {
    @Test func `keeps nothing that Redis answers for, so that nobody serves what another has changed`() async throws {
        try await withReplicas(2, listening: false) { replicas, _ in
            for number in 0..<20 {
                try await replicas[number % 2].set(number)
                for replica in replicas { try await replica.serves(number) }
            }
            #expect(replicas.allSatisfy { $0.numbers.statistics.localEntries == 0 })
        }
    }

    @Test func `keeps nothing that it began to fetch before it heard`() async throws {
        try await withReplicas(listening: false) { replicas, _ in
            let replica = replicas[0]
            let listening = Mutex<Task<Void, Never>?>(nil)
            defer { listening.withLock { $0?.cancel() } }

            _ = try await replica.numbers.value(for: Replica.key) {
                listening.withLock { $0 = Task { await replica.hub.run() } }
                try await until { replica.hub.isHearing }
                return Array("0".utf8)
            }
            try await until { replica.numbers.statistics.localEntries == 0 }

            try await replica.serves(0)
            #expect(replica.numbers.statistics.localEntries == 1)
            #expect(replica.source.reads == 0)
        }
    }
}

internal import Contracts
internal import Postgres
internal import RPC
internal import RecordTestSupport
internal import TestSupport
internal import Testing

@testable internal import Vitals

/// Two replicas with caches over one database, and people who write and read at random.
@Suite struct `Readings from a cache` {
    /// What the record says, past every cache.
    private func record(_ postgres: Postgres, _ person: Caller) async throws -> [VitalsV1.Observation] {
        try await ObservationRepository(postgres: postgres).latest(of: UserID(person.id)).map(VitalsV1.Observation.init)
    }

    @Test(arguments: [UInt64.random(in: .min ... .max)])
    func `are the record's, and nobody else's, whoever asks and writes meanwhile`(seed: UInt64) async throws {
        try await withVitals { _, postgres in
            try await withCaches { first in
                try await withCaches { second in
                    let replicas = [VitalsService(postgres, first), VitalsService(postgres, second)]
                    let people = (0..<8).map { _ in Caller() }
                    try await withThrowingDiscardingTaskGroup { group in
                        for (number, person) in people.enumerated() {
                            group.addTask {
                                try await live(person, on: replicas[number % 2], postgres, seed &+ UInt64(number))
                            }
                        }
                    }
                    for person in people {
                        let truth = try await record(postgres, person)
                        for replica in replicas {
                            try await until { try await replica.getLatestObservations(.init(), context: person.context).observations == truth }
                        }
                    }
                }
            }
        }
    }

    /// A person's own replica never shows less than what it has taken from them.
    private func live(_ person: Caller, on replica: VitalsService, _ postgres: Postgres, _ seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        var sequence = 0
        for step in 0..<60 {
            if Int.random(in: 0..<3, using: &random) == 0 {
                sequence += 1
                try await replica.record([.heartRate(sequence, minute: Int.random(in: 0..<50, using: &random))], as: person)
            }
            let shown = try await replica.getLatestObservations(.init(), context: person.context).observations
            let truth = try await record(postgres, person)
            #expect(shown == truth, "step \(step), seed \(seed)")
        }
    }
}

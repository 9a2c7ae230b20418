import FoundationEssentials
import Postgres
import Redis
import Schema
import TestSupport
import Testing

@testable import Audit

@Suite(.serialized) struct `A recorder` {
    @Test func `puts the events of 64 writers on record, each once, in chains that do not fork`() async throws {
        try await withAuditDatabase { stand in
            try await stand.withRecorder { one in
                try await stand.withRecorder(.users) { other in
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for writer in 0..<64 {
                            group.addTask {
                                for number in 0..<20 {
                                    try await (writer.isMultiple(of: 2) ? one : other).record(.sample(writer * 1_000 + number))
                                }
                            }
                        }
                        try await group.waitForAll()
                    }

                    #expect(one.counts.events == 640 && other.counts.events == 640)
                    #expect(one.counts.batches < 640)
                }
            }

            let verification = try await stand.verify()
            #expect(verification.findings == [])
            #expect((verification.events, verification.chains) == (1_280, 2))
            #expect(try await stand.psql("SELECT count(DISTINCT request_id) FROM heartguard.audit_log").contains("1280"))
        }
    }

    @Test func `finds out what became of a statement whose connection was killed`() async throws {
        try await withAuditDatabase { stand in
            var done: Set<String> = []
            var limits = AuditRecorder.Limits()
            limits.patience = .seconds(60)
            try await stand.withRecorder(limits: limits) { recorder in
                let killer = Task {
                    while !Task.isCancelled {
                        try await stand.psql(
                            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND usename = 'heartguard_vitals'")
                    }
                }
                done = try await withThrowingTaskGroup(of: [String].self) { group in
                    for writer in 0..<16 {
                        group.addTask {
                            var requests: [String] = []
                            // Until one was killed under a statement.
                            while requests.count < 40 || (recorder.counts.retries == 0 && requests.count < 1_000) {
                                let event = AuditEvent.sample(writer * 1_000 + requests.count)
                                try await recorder.record(event)
                                requests.append(event.request)
                            }
                            return requests
                        }
                    }
                    return try await group.reduce(into: []) { $0.formUnion($1) }
                }
                killer.cancel()
                _ = await killer.result
                #expect(recorder.counts.retries > 0)
                #expect(recorder.counts.failures == 0)
            }

            #expect(try await stand.verify().findings == [])
            let recorded = try await stand.psql("SELECT request_id FROM heartguard.audit_log").split(separator: "\n").map(String.init)
            #expect(done.count >= 640)
            #expect(recorded.count == done.count)
            #expect(Set(recorded) == done)
        }
    }

    @Test func `refuses what the database does not take, and goes on in a chain of its own`() async throws {
        try await withAuditDatabase { stand in
            try await stand.withRecorder { recorder in
                try await recorder.record(.sample(1))
                try await stand.psql("ALTER TABLE heartguard.audit_log ADD CONSTRAINT none CHECK (request_id <> 'r2')")

                let refused = await #expect(throws: AuditError.self) { try await recorder.record(.sample(2)) }
                try await recorder.record(.sample(3))

                #expect(refused?.code == .notWritten)
                #expect(recorder.counts.failures == 1)
            }

            let verification = try await stand.verify()
            #expect(verification.findings == [])
            #expect((verification.events, verification.chains) == (2, 2))
        }
    }

    @Test func `takes no more events than may wait`() async throws {
        try await withAuditDatabase { stand in
            try await PostgresServer.withClient(stand.configuration(.chat)) { postgres in
                var limits = AuditRecorder.Limits()
                limits.maximumQueued = 2
                let recorder = AuditRecorder(postgres, limits: limits, logger: quiet)
                let waiting = (0..<2).map { number in Task { try await recorder.record(.sample(number)) } }
                while recorder.counts.waiting < 2 { await Task.yield() }

                let refused = await #expect(throws: AuditError.self) { try await recorder.record(.sample(3)) }

                #expect(refused?.code == .full)
                #expect(recorder.counts.refusals == 1)
                let running = Task { await recorder.run(anchoringIn: nil) }
                for task in waiting { try await task.value }
                running.cancel()
                await running.value
                let late = await #expect(throws: AuditError.self) { try await recorder.record(.sample(4)) }
                #expect(late?.code == .stopping)
            }

            #expect(try await stand.verify().events == 2)
        }
    }

    @Test func `writes the event of a call that was given up, and what waits when it is stopped`() async throws {
        try await withAuditDatabase { stand in
            try await PostgresServer.withClient(stand.configuration(.vectors)) { postgres in
                let recorder = AuditRecorder(postgres, logger: quiet)
                let call = Task { try await recorder.record(.sample(1)) }
                while recorder.counts.waiting < 1 { await Task.yield() }
                call.cancel()
                let error = await #expect(throws: AuditError.self) { try await call.value }
                #expect(error?.code == .cancelled)

                let running = Task { await recorder.run(anchoringIn: nil) }
                running.cancel()
                await running.value
            }

            #expect(try await stand.verify().events == 1)
        }
    }

    @Test func `keeps the end of its chain in Redis, where it shows what is cut off`() async throws {
        let server = try await RedisServer.start()
        let redis = Redis(configuration: RedisConfiguration(port: server.port, role: .durable), logger: quiet)
        async let _: Void = redis.run()
        try await withAuditDatabase { stand in
            try await stand.withRecorder(redis: redis) { recorder in
                for number in 0..<5 { try await recorder.record(.sample(number)) }
            }

            let heads = try await AuditAnchors.heads(in: redis)
            #expect(heads == (try await stand.heads()))
            #expect(heads.map(\.sequence) == [5])
            #expect(try await stand.verify(anchors: heads).findings == [])
            try await stand.psql("DELETE FROM heartguard.audit_log WHERE sequence > 3")
            #expect(try await stand.verify(anchors: heads).findings.map(\.kind) == [.cut(anchored: 5)])
            try await stand.psql("DELETE FROM heartguard.audit_log")
            #expect(try await stand.verify(anchors: heads).findings.map(\.sequence) == [1])
        }
    }
}

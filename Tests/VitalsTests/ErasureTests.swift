internal import Application
internal import Contracts
internal import Foundation
internal import Postgres
internal import RPC
internal import Testing
internal import Time

@testable internal import Vitals

@Suite struct `The records of a person whose account is closed` {
    private static func records(_ postgres: Postgres, _ service: VitalsService, step: Int = 3) -> RecordErasure {
        var records = RecordErasure(postgres: postgres, schema: "vitals") { subject in
            try await service.latest.forget(UserID(subject.user))
        }
        records.step = step
        return records
    }

    /// Twenty readings and a device with two samples.
    private static func fill(_ service: VitalsService, as caller: Caller) async throws {
        let device = try #require(
            try await service.registerDevice(
                .init(kind: .watch, platform: "wearos", name: "Watch", serialNumber: "W-1"), context: caller.context
            ).device)
        try await service.record((0..<20).map { .heartRate($0) }, as: caller)
        _ = try await service.appendSamples(
            .init(
                deviceId: device.id, metric: "ecg",
                samples: (0..<2).map { .init(at: .init(morning + .seconds($0)), sequence: Int64($0), value: 1) }),
            context: caller.context)
    }

    private static let filled = [
        RemovedRows(table: "device_rollups", count: 2), RemovedRows(table: "device_series", count: 1),
        RemovedRows(table: "device_timeseries", count: 2), RemovedRows(table: "timelines", count: 1), RemovedRows(table: "user_devices", count: 1),
        RemovedRows(table: "vitals", count: 20),
    ]

    @Test func `go from the tables and the caches, and nobody else's do`() async throws {
        try await withVitals { service, postgres in
            let (ada, bob) = (Caller(), Caller())
            for caller in [ada, bob] {
                try await Self.fill(service, as: caller)
                #expect(try await service.getLatestObservations(.init(), context: caller.context).observations.count == 1)
            }
            let erasure = UUID()
            let request = ErasureV1.EraseRecordsRequest(erasureId: erasure.uuidString, userId: ada.id.uuidString)
            let contract = ErasureService(Self.records(postgres, service))

            let first = try await contract.eraseRecords(request, context: ada.context)
            let second = try await contract.eraseRecords(request, context: ada.context)

            #expect(first.complete)
            #expect(first.removed.map { RemovedRows(table: $0.table, count: $0.count) } == Self.filled)
            #expect(second == first)
            #expect(try await service.getLatestObservations(.init(), context: ada.context).observations.isEmpty)
            #expect(try await service.listDevices(.init(), context: ada.context).devices.isEmpty)
            #expect(try await service.getLatestObservations(.init(), context: bob.context).observations.count == 1)
            #expect(try await service.listDevices(.init(), context: bob.context).devices.count == 1)
        }
    }

    @Test func `are counted once, however many remove them at once and however often they are broken off`() async throws {
        try await withVitals { service, postgres in
            let ada = Caller()
            try await Self.fill(service, as: ada)
            let subject = ErasureSubject(erasure: UUID(), user: ada.id)
            var hurried = Self.records(postgres, service, step: 1)
            hurried.patience = .zero
            let stepwise = hurried

            let first = try await stepwise.erase(subject)
            let ends = try await withThrowingTaskGroup(of: RecordErasure.Progress.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        while true {
                            let progress = try await stepwise.erase(subject)
                            if progress.isComplete { return progress }
                        }
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }

            #expect(!first.isComplete)
            #expect(first.removed.map(\.count) == [1])
            #expect(ends.map(\.removed) == [[RemovedRows]](repeating: Self.filled, count: 4))
        }
    }

    @Test func `stay while the account stands, and go unasked for nobody`() async throws {
        try await withVitals { service, postgres in
            let ada = Caller()
            try await Self.fill(service, as: ada)
            try await runAsSuperuser(
                "INSERT INTO users.users (id, email, name, password_hash) VALUES ('\(ada.id)', '\(ada.id.uuidString.lowercased())', 'Ada', '-')")
            let contract = ErasureService(Self.records(postgres, service))

            let standing = await #expect(throws: ErasureError.self) {
                try await contract.eraseRecords(.init(erasureId: UUID().uuidString, userId: ada.id.uuidString), context: ada.context)
            }
            let invalid = await #expect(throws: RPCError.self) { try await contract.eraseRecords(.init(), context: ada.context) }

            #expect(standing?.rpcError.code == .failedPrecondition)
            #expect(invalid?.code == .invalidArgument)
            #expect(try await service.listDevices(.init(), context: ada.context).devices.count == 1)
        }
    }
}

internal import Application
internal import Contracts
internal import FHIR
internal import Foundation
internal import JSON
internal import Postgres
internal import RPC
internal import RecordTestSupport
internal import Testing
internal import Time

@testable internal import Vitals

@Suite struct `Samples in FHIR` {
    private static let begin = morning

    private static func sample(_ number: Int, at microseconds: Int, _ value: Double? = nil, revision: Int32 = 0) -> Sample {
        Sample(
            at: begin + .microseconds(microseconds), sequence: SequenceNumber(stored: Int64(number)), value: value ?? Double(number) / 8, revision: revision)
    }

    /// So many at a hundred a second.
    private static func regular(_ count: Int) -> [Sample] { (0..<count).map { sample($0, at: $0 * 10_000) } }

    private static func lengths(_ samples: [Sample]) -> [Int] { SampleRun.cut(samples).map(\.samples.count) }

    @Test func `are one run at equal distances, and another behind a gap, another distance, a correction or a jump of numbers`() {
        var corrected = Self.regular(9)
        corrected[4].revision = 1
        let gap = (0..<9).map { Self.sample($0, at: $0 * 10_000 + ($0 < 5 ? 0 : 70)) }
        let rates = (0..<9).map { Self.sample($0, at: $0 < 5 ? $0 * 10_000 : 40_000 + ($0 - 4) * 20_000) }
        let jump = (0..<9).map { Self.sample($0 < 5 ? $0 : $0 + 100, at: $0 * 10_000) }
        let twins = [Self.sample(0, at: 0), Self.sample(1, at: 0), Self.sample(2, at: 0)]

        #expect(Self.lengths(Self.regular(9)) == [9])
        #expect(Self.lengths((0..<9).map { Self.sample($0 * 3, at: $0 * 10_000) }) == [9])
        #expect(Self.lengths(corrected) == [4, 1, 4])
        #expect(Self.lengths(gap) == [5, 4])
        #expect(Self.lengths(rates) == [5, 4])
        #expect(Self.lengths(jump) == [5, 4])
        #expect(Self.lengths(twins) == [1, 1, 1])
        #expect(Self.lengths([]) == [])
    }

    /// Every part of what is told.
    private static func told(_ source: RecordSource, of user: UUID) async throws -> (entries: [String], pages: Int, count: Int64) {
        var (entries, pages, count, place) = ([String](), 0, Int64(0), nil as String?)
        repeat {
            let page = try await source.page(user, place)
            entries += String(decoding: page.content, as: UTF8.self).split(separator: "\n").map { String($0.dropLast()) }
            count += page.counts.values.reduce(0, +)
            (pages, place) = (pages + 1, page.next)
        } while place != nil
        return (entries, pages, count)
    }

    private static func kept(_ postgres: Postgres, _ user: UserID, _ device: DeviceID, _ metric: SeriesMetric) async throws -> [Sample] {
        try await SampleRepository(postgres: postgres).list(
            metric.name, of: device, user, in: Period(start: begin - .seconds(86_400), end: nil), after: nil, limit: 10_000)
    }

    /// - Parameter identity: of the first; who imports has read it in the entry.
    private static func take(
        _ entries: [String], identity: UUID = UUID(), _ postgres: Postgres, _ vitals: VitalsService, as caller: Caller
    ) async throws -> [ImportOutcome] {
        let service = ImportService(records: RecordImport(postgres: postgres), latest: vitals.latest)
        let request = ImportsV1.ImportRecordsRequest(
            userId: caller.id.uuidString, importId: UUID().uuidString, source: "clinic",
            resources: entries.enumerated().map { place, entry in
                .init(identity: (place == 0 ? identity : UUID()).uuidString, content: Array(entry.utf8))
            })
        let answer = try await service.importRecords(request, context: caller.context)
        return try answer.outcomes.map { try #require(ImportOutcome(rawValue: $0.rawValue)) }
    }

    @Test func `are told once, whatever a page holds, and taken in as they were, also of a device that is no longer used`() async throws {
        try await withVitals { (vitals: VitalsService, postgres: Postgres) async throws in
            let (ada, bob) = (Caller(), Caller())
            let watch = try await vitals.registerWatch(for: ada)
            let device = DeviceID(try #require(UUID(uuidString: watch)))
            let temperature = SeriesMetric.coded(try LOINCCode("8310-5"), in: try UCUMUnit("Cel"))
            let all: [(SeriesMetric, [Sample])] = [
                (temperature, [Self.sample(3, at: 0, 36.6), Self.sample(4, at: 0, 36.65), Self.sample(9, at: 7_000_001, 36.7, revision: 2)]),
                (.channel(try MetricName("ppg")), Self.regular(57) + (57..<70).map { Self.sample($0, at: $0 * 7_813 + 500_000) }),
            ]
            let repository = SampleRepository(postgres: postgres)
            for (metric, samples) in all { _ = try await repository.append(samples, metric, of: device, UserID(ada.id)) }
            let told = FHIR.Device(id: device.uuid, patient: ada.id, isActive: false, kind: "watch", name: "My watch", serialNumber: "SN-1")

            let whole = try await Self.told(.samples(of: postgres), of: ada.id)
            let pieces = try await Self.told(.samples(of: postgres, by: 10, mostBytes: 1), of: ada.id)
            let outcomes = try await Self.take(
                [String(decoding: told.entry, as: UTF8.self)] + pieces.entries, identity: told.id, postgres, vitals, as: bob)
            let again = try await Self.take(whole.entries, postgres, vitals, as: bob)

            #expect((whole.pages, Int(whole.count)) == (1, whole.entries.count))
            #expect(pieces.pages > 7 && Int(pieces.count) == pieces.entries.count)
            #expect(outcomes.allSatisfy { $0 == .imported } && again.allSatisfy { $0 == .existing })
            for (metric, samples) in all { #expect(try await Self.kept(postgres, UserID(bob.id), device, metric) == samples) }
            // The same resources have the same ids whenever they are told.
            #expect(try await Self.told(.samples(of: postgres), of: ada.id).entries == whole.entries)
            #expect(try await Self.told(.samples(of: postgres), of: UUID()).entries == [])
        }
    }

    @Test func `are kept all or none, by the number of the device, with the higher revision`() async throws {
        try await withVitals { (vitals: VitalsService, postgres: Postgres) async throws in
            let ada = Caller()
            let watch = try await vitals.registerWatch(for: ada)
            let (user, device) = (UserID(ada.id), DeviceID(try #require(UUID(uuidString: watch))))
            let metric = SeriesMetric.channel(try MetricName("ppg"))
            func entry(_ samples: [Sample], _ metric: SeriesMetric, _ device: DeviceID) throws -> String {
                let told = FHIR.SampledObservation(try #require(SampleRun.cut(samples).first), of: metric, device, ada.id)
                return String(decoding: try #require(told).entry, as: UTF8.self)
            }
            _ = try await SampleRepository(postgres: postgres).append(Self.regular(5), metric, of: device, user)
            let coded = SeriesMetric.coded(try LOINCCode("8310-5"), in: try UCUMUnit("Cel"))
            _ = try await SampleRepository(postgres: postgres).append(Self.regular(1), coded, of: device, user)
            let other = (0..<9).map { Self.sample($0, at: $0 * 10_000, 99) }
            let corrected = (0..<5).map { Self.sample($0, at: $0 * 10_000, 98, revision: 1) }
            let late = (Instant.now() + .seconds(86_400)) - Self.begin

            let outcomes = try await Self.take(
                [
                    entry(Self.regular(5), metric, device), entry(other, metric, device), entry(Self.regular(9), metric, device),
                    entry(corrected, metric, device), entry(Self.regular(5), metric, device), entry(Self.regular(5), metric, .make()),
                    entry(Self.regular(5), .coded(try LOINCCode("8310-5"), in: try UCUMUnit("[degF]")), device),
                    entry(Self.regular(5), .coded(try LOINCCode("8310-5"), in: try UCUMUnit("kg")), device),
                    entry([Self.sample(1, at: Int(late.wholeMicroseconds))], metric, device),
                ], postgres, vitals, as: ada)

            #expect(outcomes == [.existing, .differs, .imported, .imported, .differs, .unresolved, .unsupportedUnit, .unsupportedUnit, .unsupportedTime])
            #expect(try await Self.kept(postgres, user, device, metric) == corrected + Self.regular(9).dropFirst(5))
        }
    }

    @Test(arguments: ["", "x", "x ppg", "01890000-0000-7000-8000-000000000001 ppg 1", "01890000-0000-7000-8000-000000000001 ppg x 1"])
    func `have no place but those that were given`(place: String) async throws {
        try await withVitals { (_: VitalsService, postgres: Postgres) async throws in
            await #expect(throws: ExportError.noSuchPlace) { try await RecordSource.samples(of: postgres).page(UUID(), place) }
        }
    }
}

internal import Contracts
internal import Foundation
internal import RPC
internal import RecordTestSupport
internal import Testing
internal import Time

@testable internal import Vitals

@Suite struct `A device's signal` {
    /// Samples a hundredth of a second apart.
    private func samples(_ numbers: Range<Int>, from start: Instant = morning) -> [VitalsV1.Sample] {
        numbers.map { .init(at: .init(start + .milliseconds(10 * $0)), sequence: Int64($0), value: Double($0) / 4) }
    }

    private func list(
        _ vitals: VitalsService, _ request: VitalsV1.ListSamplesRequest, as caller: Caller
    ) async throws -> [VitalsV1.Sample] {
        var request = request
        var all: [VitalsV1.Sample] = []
        repeat {
            let page = try await vitals.listSamples(request, context: caller.context)
            all += page.samples
            request.pageToken = page.nextPageToken
        } while !request.pageToken.isEmpty
        return all
    }

    @Test func `is read as it was appended, oldest first`() async throws {
        try await withVitals { vitals in
            let ada = Caller()
            let watch = try await vitals.registerWatch(for: ada)
            let sent = samples(0..<2_500)

            let response = try await vitals.appendSamples(
                .init(deviceId: watch, metric: "ppg", samples: sent.reversed()), context: ada.context)
            let read = try await list(vitals, .init(deviceId: watch, metric: "ppg"), as: ada)

            #expect(response.recordedCount == 2_500)
            #expect(read == sent)
        }
    }

    @Test func `gains nothing from a batch that is sent again`() async throws {
        try await withVitals { vitals in
            let ada = Caller()
            let watch = try await vitals.registerWatch(for: ada)
            _ = try await vitals.appendSamples(
                .init(deviceId: watch, metric: "ppg", samples: samples(0..<10)), context: ada.context)

            let again = try await vitals.appendSamples(
                .init(deviceId: watch, metric: "ppg", samples: samples(5..<15) + samples(14..<15)), context: ada.context)

            #expect(again.recordedCount == 5)
            #expect(again.duplicateCount == 6)
        }
    }

    @Test func `may have ten thousand samples in a batch`() async throws {
        try await withVitals { vitals in
            let ada = Caller()
            let watch = try await vitals.registerWatch(for: ada)

            let response = try await vitals.appendSamples(
                .init(deviceId: watch, metric: "ppg", samples: samples(0..<10_000)), context: ada.context)
            let read = try await vitals.listSamples(
                .init(deviceId: watch, metric: "ppg", pageSize: 10_000), context: ada.context)

            #expect(response.recordedCount == 10_000)
            #expect(read.samples.count == 10_000)
            #expect(read.nextPageToken.isEmpty)
        }
    }

    @Test func `goes on over the ends of months, and of those that have a partition`() async throws {
        try await withVitals { vitals in
            let ada = Caller()
            let watch = try await vitals.registerWatch(for: ada)
            // 1 January 2026 is the first day that has a partition of its own; before it there is the default one.
            let newYear = Instant(microsecondsSinceEpoch: 1_767_225_600_000_000)
            let february = Instant(microsecondsSinceEpoch: 1_769_904_000_000_000)
            let sent = samples(0..<20, from: newYear - .milliseconds(100))
                + samples(20..<40, from: february - .milliseconds(300))
            _ = try await vitals.appendSamples(
                .init(deviceId: watch, metric: "ecg_lead_1", samples: sent), context: ada.context)

            let read = try await list(vitals, .init(deviceId: watch, metric: "ecg_lead_1", pageSize: 7), as: ada)

            #expect(read == sent)
        }
    }

    @Test func `keeps two samples of one instant`() async throws {
        try await withVitals { vitals in
            let ada = Caller()
            let watch = try await vitals.registerWatch(for: ada)
            let sent = (0..<4).map { VitalsV1.Sample(at: .init(morning), sequence: Int64($0), value: 1) }

            _ = try await vitals.appendSamples(
                .init(deviceId: watch, metric: "ppg", samples: sent), context: ada.context)

            #expect(try await list(vitals, .init(deviceId: watch, metric: "ppg", pageSize: 3), as: ada) == sent)
        }
    }

    @Test func `is read by metric and period`() async throws {
        try await withVitals { vitals in
            let ada = Caller()
            let watch = try await vitals.registerWatch(for: ada)
            for metric in ["ppg", "acc_x"] {
                _ = try await vitals.appendSamples(
                    .init(deviceId: watch, metric: metric, samples: samples(0..<10)), context: ada.context)
            }

            let read = try await list(
                vitals,
                .init(
                    deviceId: watch, metric: "ppg", startAt: .init(morning + .milliseconds(20)),
                    endAt: .init(morning + .milliseconds(60)), pageSize: 2), as: ada)

            #expect(read.map(\.sequence) == [2, 3, 4, 5])
        }
    }

    @Test func `of somebody else is not found, to read or to write`() async throws {
        try await withVitals { vitals in
            let ada = Caller()
            let eve = Caller()
            let watch = try await vitals.registerWatch(for: ada)
            _ = try await vitals.appendSamples(
                .init(deviceId: watch, metric: "ppg", samples: samples(0..<3)), context: ada.context)

            await expect(.notFound) {
                try await vitals.listSamples(.init(deviceId: watch, metric: "ppg"), context: eve.context)
            }
            await expect(.notFound) {
                try await vitals.appendSamples(
                    .init(deviceId: watch, metric: "ppg", samples: samples(3..<6)), context: eve.context)
            }
            await expect(.notFound) {
                try await vitals.listSamples(.init(deviceId: UUID().uuidString, metric: "ppg"), context: ada.context)
            }

            #expect(try await list(vitals, .init(deviceId: watch, metric: "ppg"), as: ada).count == 3)
        }
    }

    @Test func `takes a page's token for the query that it came from and for no other`() async throws {
        try await withVitals { vitals in
            let ada = Caller()
            let watch = try await vitals.registerWatch("SN-1", for: ada)
            let other = try await vitals.registerWatch("SN-2", for: ada)
            _ = try await vitals.appendSamples(
                .init(deviceId: watch, metric: "ppg", samples: samples(0..<3)), context: ada.context)
            let token = try await vitals.listSamples(
                .init(deviceId: watch, metric: "ppg", pageSize: 1), context: ada.context
            ).nextPageToken

            for request in [
                VitalsV1.ListSamplesRequest(deviceId: other, metric: "ppg", pageToken: token),
                .init(deviceId: watch, metric: "ecg", pageToken: token),
                .init(deviceId: watch, metric: "ppg", endAt: .init(morning), pageToken: token),
                .init(deviceId: watch, metric: "ppg", pageToken: "x"),
            ] {
                await expect(.invalidArgument, fields: ["page_token"]) {
                    try await vitals.listSamples(request, context: ada.context)
                }
            }
        }
    }

    @Test func `has no sample that is no number, has no time or comes from the future`() async throws {
        try await withVitals { vitals in
            let request = VitalsV1.AppendSamplesRequest(
                deviceId: "watch", metric: "PPG",
                samples: [
                    .init(at: .init(morning), sequence: 0, value: .nan),
                    .init(sequence: -1, value: .infinity),
                    .init(at: .init(.now() + .seconds(400)), sequence: 2, value: 0),
                ])

            await expect(
                .invalidArgument,
                fields: [
                    "device_id", "metric", "samples[0].value", "samples[1].at", "samples[1].sequence",
                    "samples[1].value", "samples[2].at",
                ]
            ) { try await vitals.appendSamples(request, context: Caller().context) }
            await expect(.invalidArgument, fields: ["device_id", "metric", "samples"]) {
                try await vitals.appendSamples(.init(), context: Caller().context)
            }
        }
    }
}

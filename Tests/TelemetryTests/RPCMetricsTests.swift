import CoreMetrics
import RPC
import Testing

@testable import Telemetry

@Suite struct `The metrics of a server` {
    @Test func `count calls by method and status, with their times and sizes`() throws {
        let store = HDRMetrics()
        let meter = RPCMetrics(factory: store).meter(of: Calls.find)

        for number in 1...100 { meter.ended(Calls.record(took: .microseconds(number), request: number, response: 2 * number)) }
        meter.ended(Calls.record(RPCError(.notFound, "It is not there."), took: .milliseconds(3)))

        let snapshot = RPCMetrics.snapshot(of: store)
        #expect(snapshot.map(\.method) == ["test.Things/Find", "test.Things/Find"])
        let notFound = try #require(snapshot.first { $0.status == "NOT_FOUND" })
        let ok = try #require(snapshot.first { $0.status == "OK" })
        #expect(notFound.durations.count == 1)
        #expect(ok.durations.count == 100)
        #expect(ok.durations.sum == 5_050_000)
        #expect((49_500...50_600).contains(ok.durations.p50))
        #expect((94_000...96_000).contains(ok.durations.p95))
        #expect((98_000...100_000).contains(ok.durations.p99))
        #expect(ok.requests?.sum == 5_050)
        #expect(ok.responses?.sum == 10_100)
    }

    @Test func `put requests that reach no method under one name, whatever they asked for`() {
        let store = HDRMetrics()
        let meter = RPCMetrics(factory: store).meter(of: nil)

        for _ in 0..<3 {
            meter.ended(
                CallRecord(
                    context: nil, peer: "", error: RPCError(.unimplemented, "There is no such method."), duration: .zero,
                    requestBytes: 0, responseBytes: 0))
        }

        let snapshot = RPCMetrics.snapshot(of: store)
        #expect(snapshot.map(\.method) == ["_OTHER"])
        #expect(snapshot.map(\.status) == ["UNIMPLEMENTED"])
        #expect(snapshot.map(\.durations.count) == [3])
    }

    @Test func `know of each bucket the newest trace that somebody records`() throws {
        let store = HDRMetrics()
        let meter = RPCMetrics(factory: store).meter(of: Calls.find)
        let traces = (0..<3).map { _ in TraceContext.make().sampled }

        meter.ended(Calls.record(took: .milliseconds(2), trace: traces[0]))
        meter.ended(Calls.record(took: .milliseconds(3), trace: traces[1]))
        meter.ended(Calls.record(took: .milliseconds(40), trace: traces[2]))
        meter.ended(Calls.record(took: .milliseconds(4)))

        let calls = try #require(store.timed(MethodMeter.duration).first)
        #expect(calls.durations.distribution.count == 4)
        let newest: [UInt64: String] = [5_000_000: traces[1].traceID, 50_000_000: traces[2].traceID]
        for (place, bound) in BucketBound.all.enumerated() {
            #expect(calls.exemplars[place]?.traceID == newest[bound.nanoseconds])
        }
        #expect(calls.exemplars[1]?.value == 3_000_000)
    }

    @Test func `keep nothing of traces that nobody records`() throws {
        let store = HDRMetrics()
        let meter = RPCMetrics(factory: store).meter(of: Calls.find)

        meter.ended(Calls.record())

        let calls = try #require(store.timed(MethodMeter.duration).first)
        #expect(calls.exemplars == Exemplars())
    }

    @Test func `lose nothing that many threads record at once`() async throws {
        let store = HDRMetrics()
        let meter = RPCMetrics(factory: store).meter(of: Calls.find)

        await withTaskGroup { group in
            for _ in 0..<8 { group.addTask { for _ in 0..<10_000 { meter.ended(Calls.record()) } } }
        }

        let all = try #require(RPCMetrics.snapshot(of: store).first)
        #expect(all.durations.count == 80_000)
        #expect(all.durations.sum == 80_000 * 100_000)
    }
}

@Suite struct `A tally of many threads` {
    @Test func `holds each value from when it was recorded, and once`() {
        let tally = SharedTally()
        #expect(tally.value?.sum == nil)

        for count in 1...100 as ClosedRange<UInt64> {
            tally.record(Int64(count))
            for _ in 0..<2 {
                let seen = tally.value.map { Distribution($0) }
                #expect(seen?.count == count)
                #expect(seen?.sum == count * (count + 1) / 2)
            }
        }
    }

    @Test func `never shows fewer than before, however it is read meanwhile`() async {
        let tally = SharedTally()

        await withTaskGroup { group in
            for _ in 0..<4 { group.addTask { for _ in 0..<20_000 { tally.record(1) } } }
            for _ in 0..<2 {
                group.addTask {
                    var last: UInt64 = 0
                    while last < 80_000 {
                        let count = tally.value.map { Distribution($0).count } ?? 0
                        #expect(count >= last)
                        last = count
                        await Task.yield()
                    }
                }
            }
        }

        #expect(tally.value?.sum == 80_000)
    }

    @Test func `keeps some values for each core, and no histogram`() {
        #expect(MemoryLayout<SharedTally.Waiting>.size <= 272)
    }
}

@Suite struct `A store of metrics` {
    @Test func `gives one handler to everybody who asks for the same series`() {
        let store = HDRMetrics()

        store.makeCounter(label: "jobs", dimensions: [("queue", "a")]).increment(by: 2)
        store.makeCounter(label: "jobs", dimensions: [("queue", "a")]).increment(by: 3)
        store.makeCounter(label: "jobs", dimensions: [("queue", "b")]).increment(by: 7)
        store.makeMeter(label: "depth", dimensions: []).set(4.5)

        #expect(
            store.snapshot() == [
                .init(label: "depth", dimensions: [:], value: .last(4.5)),
                .init(label: "jobs", dimensions: ["queue": "a"], value: .count(5)),
                .init(label: "jobs", dimensions: ["queue": "b"], value: .count(7)),
            ])
    }

    @Test func `makes no more series than its bound, and counts what it left out`() {
        let store = HDRMetrics(maxSeries: 2)

        for number in 0..<5 { store.makeCounter(label: "c", dimensions: [("n", "\(number)")]).increment(by: 1) }

        #expect(store.snapshot().count == 2)
        #expect(store.dropped == 3)
    }

    @Test func `keeps the first kind of a name`() {
        let store = HDRMetrics()

        store.makeCounter(label: "x", dimensions: []).increment(by: 1)
        store.makeTimer(label: "x", dimensions: []).recordNanoseconds(5)

        #expect(store.snapshot() == [.init(label: "x", dimensions: [:], value: .count(1))])
    }

    @Test func `takes values below zero and beyond all bounds`() throws {
        let store = HDRMetrics()
        let timer = store.makeTimer(label: "t", dimensions: [])
        let recorder = store.makeRecorder(label: "r", dimensions: [], aggregate: true)

        timer.recordNanoseconds(-5)
        timer.recordNanoseconds(.max)
        for value in [-Double.infinity, .infinity, .nan, 3] { recorder.record(value) }

        let series = store.snapshot()
        guard case .values(let values) = series[0].value, case .durations(let durations) = series[1].value else {
            Issue.record("The series are of another kind.")
            return
        }
        #expect(values.count == 4)
        #expect(durations.count == 2)
    }
}

internal import Contracts
internal import RPC
internal import RecordTestSupport
internal import Testing
internal import Time

@testable internal import Vitals

@Suite struct `A reading` {
    /// The fields that are wrong with a reading, without their place in the batch.
    private func violations(_ change: (inout VitalsV1.Observation) -> Void) throws -> Set<String> {
        var reading = VitalsV1.Observation.heartRate(0)
        change(&reading)
        return try violations(of: reading)
    }

    private func violations(of reading: VitalsV1.Observation) throws -> Set<String> {
        do {
            _ = try NewObservation.batch(.init(observations: [reading]), now: morning)
            return []
        } catch {
            #expect(error.code == .invalidArgument)
            return Set(error.violatedFields.map { String($0.dropFirst("observations[0].".count)) })
        }
    }

    @Test func `has everything that is wrong with it reported at once`() throws {
        let reading = VitalsV1.Observation(
            id: "x", code: "heart rate", quantity: .init(value: "fast", unit: "per minute"), utcOffsetMinutes: 841,
            source: "my watch", deviceId: "watch", sequence: -1, recordedAt: .init(morning))

        #expect(
            try violations(of: reading) == [
                "id", "code", "quantity.value", "quantity.unit", "effective_at", "utc_offset_minutes", "source",
                "device_id", "sequence", "recorded_at",
            ])
    }

    @Test func `may be ahead of our clock by five minutes and no more`() throws {
        #expect(try violations { $0.effectiveAt = .init(morning + .seconds(300)) } == [])
        #expect(try violations { $0.effectiveAt = .init(morning + .seconds(301)) } == ["effective_at"])
        #expect(try violations { $0.effectiveAt = .init(seconds: -2_208_988_801) } == ["effective_at"])
        #expect(try violations { $0.effectiveAt = .init(seconds: 0, nanos: -1) } == ["effective_at"])
        #expect(try violations { $0.effectiveAt = .init(seconds: .max) } == ["effective_at"])
    }

    @Test(arguments: [(-720, true), (840, true), (-721, false), (841, false)] as [(Int32, Bool)])
    func `was taken where there are people`(offset: Int32, isAllowed: Bool) throws {
        #expect(try violations { $0.utcOffsetMinutes = offset }.isEmpty == isAllowed)
    }

    @Test func `of a code that we know has one of its units`() throws {
        #expect(try violations(of: .glucose("100", unit: "mg/dL")) == [])
        #expect(try violations(of: .glucose("5.4", unit: "mmol/L")) == ["quantity.unit"])
        #expect(try violations { $0.quantity?.unit = "{beats}/min" } == [])
        #expect(try violations { $0.quantity?.unit = "Hz" } == ["quantity.unit"])
    }

    @Test func `of a code that we don't know has any unit`() throws {
        #expect(
            try violations {
                $0.code = "55423-8"
                $0.quantity?.unit = "{steps}/d"
            } == [])
    }

    @Test func `has a value or components and never both`() throws {
        #expect(try violations { $0.quantity = nil } == ["quantity"])
        #expect(
            try violations {
                $0.code = "55423-8"
                $0.components = [.init(code: "8867-4", quantity: .init(value: "60", unit: "/min"))]
            } == ["quantity"])
    }

    @Test func `of blood pressure has exactly two parts`() throws {
        let whole = VitalsV1.Observation.bloodPressure("120", "80")
        func changed(_ change: (inout VitalsV1.Observation) -> Void) throws -> Set<String> {
            var reading = whole
            change(&reading)
            return try violations(of: reading)
        }

        #expect(try violations(of: whole) == [])
        #expect(try changed { $0.components.swapAt(0, 1) } == [])
        #expect(try changed { $0.components.removeLast() } == ["components"])
        #expect(try changed { $0.components[1] = $0.components[0] } == ["components"])
        #expect(try changed { $0.components.append($0.components[0]) } == ["components"])
        #expect(try changed { $0.components[0].code = "8478-0" } == ["components"])
        #expect(try changed { $0.quantity = .init(value: "93", unit: "mm[Hg]") } == ["quantity"])
        #expect(try changed { $0.components[1].quantity = nil } == ["components[1].quantity"])
        #expect(try changed { $0.components[0].quantity?.unit = "mmHg" } == ["components[0].quantity.unit"])
        #expect(
            try changed {
                $0.components = []
                $0.quantity = .init(value: "120", unit: "mm[Hg]")
            } == ["components", "quantity"])
    }

    @Test func `is one of a thousand at most`() throws {
        for count in [0, 1_001] {
            let batch = VitalsV1.RecordObservationsRequest(observations: (0..<count).map { .heartRate($0) })
            let error = #expect(throws: (any Error).self) { try NewObservation.batch(batch) }
            #expect(error != nil)
        }
    }

    @Test func `that is wrong is reported with a few others, so that the answer fits into metadata`() throws {
        let batch = VitalsV1.RecordObservationsRequest(
            observations: Array(repeating: VitalsV1.Observation(id: "x", recordedAt: .init()), count: 1_000))

        do {
            _ = try NewObservation.batch(batch)
            Issue.record("The batch was taken.")
        } catch {
            #expect(Set(error.violatedFields.compactMap { $0.split(separator: ".").first }).count == 5)
            // grpc-status-details-bin is base64, and gRPC's limit for metadata is 8 KiB.
            #expect(error.details.count * 4 / 3 < 6_000)
        }
    }
}

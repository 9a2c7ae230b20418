internal import Contracts
internal import RPC
internal import Time

extension PatientStory {
    /// What an oximeter reads, in percent: the first while it is followed, the others while nobody follows.
    private static let saturations = ["97", "96", "98"]
    /// LOINC: oxygen saturation by pulse oximeter.
    private static let saturation = "59408-5"

    /// Readings that come as they are recorded, and, after the stream was dropped, from where its token says: none is missed, and none comes twice.
    func followLive() async throws {
        let first = try await follow(from: "") { try await recordSaturations(0..<1) }
        guard !first.readings.isEmpty else {
            return progress.step("live", "the readings that were followed in an earlier run are there; the first, recorded again, is no news")
        }
        let meanwhile = try await recordSaturations(1..<Self.saturations.count)
        let rest = try await follow(from: first.token) { meanwhile }
        let all = first.readings + meanwhile
        guard rest.readings.filter({ all.contains($0) }) == meanwhile else {
            throw CommandFailure("the live stream, taken up again, did not bring what was recorded meanwhile, each once.")
        }
        progress.step(
            "live",
            "an oxygen saturation of \(Self.saturations[0]) % came as it was recorded; the stream was dropped, \(meanwhile.count) more were recorded, and its token brought these, each once")
    }

    /// The ids of the readings that a subscription brought, and where it goes on behind the last.
    private struct Followed: Sendable {
        var readings: [String] = []
        var token = ""
    }

    /// Subscribes, and stops behind the last of the readings that `recorded` answers, which it is asked for once the subscription stands; without
    /// any at once.
    private func follow(from token: String, until recorded: @Sendable () async throws -> [String]) async throws -> Followed {
        var options = patient.options
        options.timeout = .seconds(30)
        return try await VitalsV1.LiveServiceClient(patient.channel).subscribe(.init(resumeToken: token), options: options) { answers in
            var news = answers.makeAsyncIterator()
            _ = try await news.next()
            let last = try await recorded().last
            var followed = Followed()
            while followed.readings.last != last {
                guard let answer = try await news.next() else {
                    throw CommandFailure("the live stream ended before a reading that was recorded had come.")
                }
                guard case .observation(let reading)? = answer.event else { continue }
                followed.readings.append(reading.id)
                followed.token = answer.resumeToken
            }
            return followed
        }
    }

    /// Records some of the readings. Their ids, or none if they were there.
    private func recordSaturations(_ places: Range<Int>) async throws -> [String] {
        let vitals = VitalsV1.VitalsServiceClient(patient.channel)
        let readings = places.map { place in
            VitalsV1.Observation(
                code: Self.saturation, quantity: .init(value: Self.saturations[place], unit: "%"), effectiveAt: .init(Instant.now()),
                source: "oximeter", sequence: Int64(place + 1))
        }
        let answer = try await patient.patiently { options throws(RPCError) in
            try await vitals.recordObservations(.init(observations: readings), options: options)
        }
        return answer.recordedCount > 0 ? answer.ids : []
    }
}

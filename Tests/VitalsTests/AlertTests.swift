internal import Contracts
internal import Foundation
internal import Postgres
internal import RPC
internal import RecordTestSupport
internal import TestSupport
internal import Testing
internal import Time

@testable internal import Vitals

extension VitalsV1.AlertRule {
    /// A rule that heart rates from 120 on fire and those to 110 clear.
    static func fast(
        id: String = "", _ threshold: String = "120", clearAt: String = "110", samples: Int32 = 1, seconds: Int32 = 0, cooldown: Int32 = 0
    ) -> VitalsV1.AlertRule {
        VitalsV1.AlertRule(
            id: id, name: "Fast", code: "8867-4", condition: .above, threshold: threshold, clearAt: clearAt, unit: "/min", minSamples: samples,
            minDurationSeconds: seconds, cooldownSeconds: cooldown, severity: .high, enabled: true)
    }
}

extension AlertsService {
    @discardableResult
    func create(_ rule: VitalsV1.AlertRule, as caller: Caller) async throws -> VitalsV1.AlertRule {
        try #require(try await createAlertRule(.init(rule: rule), context: caller.context).rule)
    }

    func alerts(of caller: Caller, openOnly: Bool = false) async throws -> [VitalsV1.Alert] {
        var alerts: [VitalsV1.Alert] = []
        var token = ""
        repeat {
            let page = try await listAlerts(.init(openOnly: openOnly, pageSize: 100, pageToken: token), context: caller.context)
            alerts += page.alerts
            token = page.nextPageToken
        } while !token.isEmpty
        return alerts
    }

    /// Whether all that is kept is what the readings make.
    func isReproduced(_ rule: String, of caller: Caller) async throws -> Bool {
        guard try await replayAlerts(.init(ruleId: rule), context: caller.context).reproduced else { return false }
        for alert in try await alerts(of: caller) where alert.ruleId == rule && alert.withdrawnAt == nil {
            guard try await verifyAlert(.init(alertId: alert.id), context: caller.context).reproduced else { return false }
        }
        return true
    }
}

/// Readings that come once a minute from now on, so that a rule that was just made judges them. The clock of the tests stands behind, so the
/// record of rules is put back by a day.
private func withAlerts(_ body: (VitalsService, AlertsService, Postgres) async throws -> Void) async throws {
    try await withVitals { vitals, postgres in
        try await body(vitals, AlertsService(alerts: AlertRuleRepository(postgres: postgres)), postgres)
    }
}

/// Makes a rule judge everything since 2026 began.
private func putBack(_ rule: VitalsV1.AlertRule, of caller: Caller) async throws {
    try await runAsSuperuser("UPDATE vitals.alert_rules SET since = '2026-01-01' WHERE user_id = '\(caller.id)' AND id = '\(rule.id)'")
}

private func heartRate(_ number: Int, _ value: Int, minute: Int? = nil) -> VitalsV1.Observation {
    var reading = VitalsV1.Observation.heartRate(number, minute: minute)
    reading.quantity?.value = "\(value)"
    return reading
}

@Suite struct `An alert` {
    @Test func `is one, and over once, for a trace that is noisy at the threshold, however it is cut into batches`() async throws {
        try await withAlerts { vitals, alerts, postgres in
            let trace = [100, 119, 121, 118, 122, 119, 120, 111, 121, 117, 125, 118, 109, 111, 115, 119, 100]
            let readings = trace.enumerated().map { heartRate($0, $1) }
            for size in [1, 2, 5, 100] {
                let ada = Caller()
                let rule = try await alerts.create(.fast(), as: ada)
                try await putBack(rule, of: ada)
                for start in stride(from: 0, to: readings.count, by: size) {
                    try await vitals.record(Array(readings[start..<min(start + size, readings.count)]), as: ada)
                }

                let made = try await alerts.alerts(of: ada)

                #expect(made.count == 1)
                #expect(made.first?.quantity == .init(value: "121", unit: "/min"))
                #expect(made.first?.firedAt == .init(morning + .seconds(120)))
                #expect(made.first?.clearedAt == .init(morning + .seconds(12 * 60)))
                #expect(made.first?.resolvedAt != nil)
                #expect(try await alerts.isReproduced(rule.id, of: ada))
                let told = try await postgres.rows(
                    "SELECT count(*) FROM vitals.outbox WHERE topic = 'tell_alert' AND payload ->> 'user' = \(ada.id.uuidString)", as: Scalar<Int64>.self)
                #expect(told.map(\.value) == [1])
            }
        }
    }

    @Test func `is proven by the readings that it was made of, as they were`() async throws {
        try await withAlerts { vitals, alerts, _ in
            let ada = Caller()
            let rule = try await alerts.create(.fast(samples: 3), as: ada)
            try await putBack(rule, of: ada)
            let ids = try await vitals.record([100, 130, 131, 132, 133, 100].enumerated().map { heartRate($0, $1) }, as: ada).ids
            let alert = try #require(try await alerts.alerts(of: ada).first)

            let proof = try await alerts.verifyAlert(.init(alertId: alert.id), context: ada.context)

            #expect(proof.reproduced)
            #expect(proof.rule?.version == 1)
            #expect(proof.evidence.map(\.observationId) == Array(ids[1...3]))
            #expect(proof.evidence.map(\.quantity?.value) == ["130", "131", "132"])
            #expect(proof.clearing?.observationId == ids[5])
            // What somebody changes behind the service's back is found.
            try await runAsSuperuser("UPDATE vitals.vitals SET value = 90 WHERE user_id = '\(ada.id)' AND id = '\(ids[2])'")
            #expect(try await alerts.verifyAlert(.init(alertId: alert.id), context: ada.context).reproduced == false)
        }
    }

    @Test func `is withdrawn when the reading that fired it turns out wrong, and is there again when that does`() async throws {
        try await withAlerts { vitals, alerts, _ in
            let ada = Caller()
            let rule = try await alerts.create(.fast(), as: ada)
            try await putBack(rule, of: ada)
            let ids = try await vitals.record([100, 130, 100].enumerated().map { heartRate($0, $1) }, as: ada).ids

            try await vitals.correct(ids[1], to: "103", as: ada)

            #expect(try await alerts.alerts(of: ada).map { $0.withdrawnAt != nil } == [true])
            #expect(try await alerts.isReproduced(rule.id, of: ada))
            try await vitals.correct(ids[1], version: 2, to: "140", as: ada)
            let again = try await alerts.alerts(of: ada)
            #expect(again.map { $0.withdrawnAt != nil } == [false])
            #expect(again.first?.quantity?.value == "140")
            #expect(try await alerts.isReproduced(rule.id, of: ada))
        }
    }

    @Test func `that was withdrawn, and perhaps not told of for that, is told of when it is there again`() async throws {
        try await withAlerts { vitals, alerts, postgres in
            let ada = Caller()
            try await putBack(try await alerts.create(.fast(), as: ada), of: ada)
            let ids = try await vitals.record([100, 130, 100].enumerated().map { heartRate($0, $1) }, as: ada).ids
            let told: Query = "SELECT count(*) FROM vitals.outbox WHERE topic = 'tell_alert' AND payload ->> 'user' = \(ada.id.uuidString)"
            try await vitals.correct(ids[1], to: "103", as: ada)
            #expect(try await postgres.first(told, as: Scalar<Int64>.self)?.value == 1)

            try await vitals.correct(ids[1], version: 2, to: "140", as: ada)
            try await vitals.correct(ids[1], version: 3, to: "141", as: ada)

            #expect(try await postgres.first(told, as: Scalar<Int64>.self)?.value == 2)
        }
    }

    @Test func `of a rule that has changed since, made of readings that come late, is not left open`() async throws {
        try await withAlerts { vitals, alerts, _ in
            let ada = Caller()
            var rule = try await alerts.create(.fast(), as: ada)
            try await putBack(rule, of: ada)
            (rule.threshold, rule.since) = ("140", nil)
            _ = try await alerts.updateAlertRule(.init(rule: rule), context: ada.context)

            try await vitals.record([heartRate(0, 130)], as: ada)

            #expect(try await alerts.alerts(of: ada).map(\.ruleVersion) == [1])
            #expect(try await alerts.alerts(of: ada, openOnly: true).isEmpty)
        }
    }

    @Test func `is there at last for readings that come late, and two are one when what was between them is retracted`() async throws {
        try await withAlerts { vitals, alerts, _ in
            let ada = Caller()
            let rule = try await alerts.create(.fast(), as: ada)
            try await putBack(rule, of: ada)
            let ids = try await vitals.record([heartRate(0, 100), heartRate(9, 100)], as: ada).ids
            #expect(ids.count == 2)
            let late = try await vitals.record([heartRate(2, 130), heartRate(4, 100), heartRate(6, 130)], as: ada).ids

            #expect(try await alerts.alerts(of: ada).count == 2)
            try await vitals.retract(late[1], as: ada)

            let made = try await alerts.alerts(of: ada)
            #expect(made.filter { $0.withdrawnAt == nil }.map(\.observationId) == [late[0]])
            #expect(made.filter { $0.withdrawnAt == nil }.map(\.clearedAt) == [.init(morning + .seconds(9 * 60))])
            #expect(try await alerts.isReproduced(rule.id, of: ada))
        }
    }

    /// Readings in any order, in batches of any size, some twice, some corrected to another value or time and some retracted.
    @Test(arguments: [UInt64.random(in: .min ... .max)])
    func `is what the readings make, whatever order they come in and whatever is said of them later`(seed: UInt64) async throws {
        try await withAlerts { vitals, alerts, _ in
            var random = SeededGenerator(seed: seed)
            let ada = Caller()
            let rules: [VitalsV1.AlertRule] = [
                .fast(), .fast("130", clearAt: "100", samples: 3), .fast(samples: 2, seconds: 180), .fast(cooldown: 900),
                .fast("125", clearAt: "115", samples: 2, seconds: 60, cooldown: 600),
            ]
            var made: [VitalsV1.AlertRule] = []
            for rule in rules {
                made.append(try await alerts.create(rule, as: ada))
                try await putBack(made[made.count - 1], of: ada)
            }
            var number = 0
            var known: [(id: String, version: Int64)] = []
            var sent: [VitalsV1.Observation] = []
            for step in 0..<60 {
                switch Int.random(in: 0..<10, using: &random) {
                case 0..<6:
                    let batch = (0..<Int.random(in: 1...8, using: &random)).map { _ in
                        number += 1
                        return heartRate(number, Int.random(in: 95...140, using: &random), minute: Int.random(in: 0..<240, using: &random))
                    }
                    sent += batch
                    known += try await vitals.record(batch, as: ada).ids.map { ($0, 1) }
                case 6 where !sent.isEmpty:
                    try await vitals.record([sent[Int.random(in: 0..<sent.count, using: &random)]], as: ada)
                case 7, 8:
                    guard let index = known.indices.randomElement(using: &random) else { continue }
                    let minute = Bool.random(using: &random) ? Int.random(in: 0..<240, using: &random) : nil
                    known[index].version = try await vitals.correct(
                        known[index].id, version: known[index].version, to: "\(Int.random(in: 95...140, using: &random))", at: minute, as: ada
                    ).version
                default:
                    guard let index = known.indices.randomElement(using: &random) else { continue }
                    let (id, version) = known.remove(at: index)
                    try await vitals.retract(id, version: version, as: ada)
                }
                if step % 6 == 5 {
                    for rule in made { #expect(try await alerts.isReproduced(rule.id, of: ada), "step \(step), seed \(seed)") }
                }
            }
            for rule in made { #expect(try await alerts.isReproduced(rule.id, of: ada), "seed \(seed)") }
        }
    }

    @Test func `is made once by those who send the same readings at the same moment`() async throws {
        try await withAlerts { vitals, alerts, postgres in
            let ada = Caller()
            let rule = try await alerts.create(.fast(samples: 2), as: ada)
            try await putBack(rule, of: ada)
            let batch = [100, 130, 131, 100, 130, 131, 100].enumerated().map { heartRate($0, $1) }

            try await withThrowingDiscardingTaskGroup { group in
                for sender in 0..<8 {
                    group.addTask {
                        for reading in sender % 2 == 0 ? batch : batch.reversed() { try await vitals.record([reading], as: ada) }
                    }
                }
            }

            #expect(try await alerts.alerts(of: ada).filter { $0.withdrawnAt == nil }.count == 2)
            #expect(try await alerts.isReproduced(rule.id, of: ada))
            // One that was withdrawn for a while is told of once more; Users takes it once.
            let told = try await postgres.rows(
                "SELECT count(DISTINCT aggregate_id) FROM vitals.outbox WHERE topic = 'tell_alert' AND payload ->> 'user' = \(ada.id.uuidString)",
                as: Scalar<Int64>.self)
            #expect(try await alerts.alerts(of: ada).count == Int(told.first?.value ?? 0))
        }
    }

    @Test func `is acknowledged and closed by its person, once, and fires again only when it was over`() async throws {
        try await withAlerts { vitals, alerts, _ in
            let (ada, bob) = (Caller(), Caller())
            let rule = try await alerts.create(.fast(), as: ada)
            try await putBack(rule, of: ada)
            try await vitals.record([heartRate(0, 130)], as: ada)
            let alert = try #require(try await alerts.alerts(of: ada, openOnly: true).first)

            let seen = try await alerts.acknowledgeAlert(.init(alertId: alert.id), context: ada.context).alert
            #expect(seen?.acknowledgedAt != nil)
            #expect(try await alerts.acknowledgeAlert(.init(alertId: alert.id), context: ada.context).alert == seen)
            let closed = try await alerts.resolveAlert(.init(alertId: alert.id, resolution: "I ran."), context: ada.context).alert
            #expect(try await alerts.resolveAlert(.init(alertId: alert.id, resolution: "Twice."), context: ada.context).alert == closed)
            await expect(.notFound) { try await alerts.acknowledgeAlert(.init(alertId: alert.id), context: bob.context) }
            await expect(.notFound) { try await alerts.resolveAlert(.init(alertId: alert.id), context: bob.context) }
            await expect(.notFound) { try await alerts.verifyAlert(.init(alertId: alert.id), context: bob.context) }

            try await vitals.record([heartRate(1, 135), heartRate(2, 140)], as: ada)
            #expect(try await alerts.alerts(of: ada, openOnly: true).isEmpty)
            #expect(try await alerts.alerts(of: ada).map(\.resolution) == ["I ran."])
            try await vitals.record([heartRate(3, 100), heartRate(4, 130)], as: ada)
            #expect(try await alerts.alerts(of: ada, openOnly: true).map(\.quantity?.value) == ["130"])
        }
    }

    @Test func `beyond the ten thousandth is judged in a replay, and not told of`() throws {
        let episodes = (0..<10_002).map { second in
            let place = ReadingPlace(at: morning + .seconds(second), id: .least)
            return AlertEpisode(start: place, fire: place, lastFired: nil, clear: nil)
        }

        let whole = VitalsV1.ReplayAlertsResponse(episodes, of: 20_000, kept: episodes)
        let lost = VitalsV1.ReplayAlertsResponse(episodes, of: 20_000, kept: Array(episodes.dropLast()))

        #expect(whole.reproduced && whole.judgedCount == 20_000 && whole.observationIds.count == 10_000)
        #expect(!lost.reproduced)
    }
}

@Suite struct `A rule` {
    @Test func `is made once by a call that is made again, and not another by its id`() async throws {
        try await withAlerts { _, alerts, _ in
            let ada = Caller()
            let id = UUID().uuidString.lowercased()
            let made = try await alerts.create(.fast(id: id), as: ada)

            #expect(made.version == 1)
            #expect(try await alerts.create(.fast(id: id), as: ada) == made)
            await expect(.alreadyExists) { try await alerts.create(.fast(id: id, "121"), as: ada) }
            #expect(try await alerts.listAlertRules(.init(), context: ada.context).rules == [made])
            // Somebody else's rule may have the same id.
            #expect(try await alerts.create(.fast(id: id, "121"), as: Caller()).version == 1)
        }
    }

    @Test func `judges by its new version from then on, and its alerts name the one that made them`() async throws {
        try await withAlerts { vitals, alerts, _ in
            let ada = Caller()
            var rule = try await alerts.create(.fast(), as: ada)
            try await putBack(rule, of: ada)
            try await vitals.record([heartRate(0, 130)], as: ada)

            rule.threshold = "140"
            rule.since = nil
            let changed = try #require(try await alerts.updateAlertRule(.init(rule: rule), context: ada.context).rule)

            #expect(changed.version == 2)
            #expect(try await alerts.updateAlertRule(.init(rule: rule), context: ada.context).rule == changed)
            rule.threshold = "141"
            await expect(.aborted) { try await alerts.updateAlertRule(.init(rule: rule), context: ada.context) }
            rule.version = .max
            await expect(.aborted) { try await alerts.updateAlertRule(.init(rule: rule), context: ada.context) }
            #expect(try await alerts.alerts(of: ada, openOnly: true).isEmpty)
            let now = Instant.now()
            let reading = VitalsV1.Observation(
                code: "8867-4", quantity: .init(value: "139", unit: "/min"), effectiveAt: .init(now + .seconds(1)), source: "watch", sequence: 50)
            var higher = reading
            higher.quantity?.value = "150"
            higher.effectiveAt = .init(now + .seconds(2))
            higher.sequence = 51
            try await vitals.record([reading, higher], as: ada)
            let made = try await alerts.alerts(of: ada)
            #expect(made.map(\.ruleVersion) == [2, 1])
            #expect(made.first?.quantity?.value == "150")
            for alert in made { #expect(try await alerts.verifyAlert(.init(alertId: alert.id), context: ada.context).reproduced) }
        }
    }

    @Test func `that is off or deleted judges nothing`() async throws {
        try await withAlerts { vitals, alerts, _ in
            let ada = Caller()
            var off = VitalsV1.AlertRule.fast()
            off.enabled = false
            try await putBack(try await alerts.create(off, as: ada), of: ada)
            let gone = try await alerts.create(.fast(), as: ada)
            for _ in 0..<2 { _ = try await alerts.deleteAlertRule(.init(ruleId: gone.id), context: ada.context) }

            let reading = VitalsV1.Observation(
                code: "8867-4", quantity: .init(value: "139", unit: "/min"), effectiveAt: .init(.now() + .seconds(1)), source: "watch", sequence: 1)
            try await vitals.record([reading], as: ada)

            #expect(try await alerts.alerts(of: ada).isEmpty)
            #expect(try await alerts.listAlertRules(.init(), context: ada.context).rules.count == 1)
        }
    }

    @Test func `has to make sense`() async throws {
        try await withAlerts { _, alerts, _ in
            let ada = Caller()
            func expectInvalid(_ fields: Set<String>, _ change: (inout VitalsV1.AlertRule) -> Void) async {
                var rule = VitalsV1.AlertRule.fast()
                change(&rule)
                await expect(.invalidArgument, fields: Set(fields.map { "rule.\($0)" })) { try await alerts.create(rule, as: ada) }
            }

            await expectInvalid(["clear_at"]) { $0.clearAt = "120" }
            await expectInvalid(["clear_at"]) { ($0.condition, $0.clearAt) = (.below, "119") }
            await expectInvalid(["code"]) { $0.code = "8867-5" }
            await expectInvalid(["component_code"]) { ($0.code, $0.unit) = ("85354-9", "mm[Hg]") }
            await expectInvalid(["unit"]) { $0.unit = "kg" }
            await expectInvalid(["threshold"]) { $0.threshold = "fast" }
            await expectInvalid(["condition", "severity"]) { ($0.condition, $0.severity) = (.unspecified, .unrecognized(9)) }
            await expectInvalid(["min_samples", "min_duration_seconds", "cooldown_seconds"]) {
                ($0.minSamples, $0.minDurationSeconds, $0.cooldownSeconds) = (101, 3_601, -1)
            }
            await expectInvalid(["name"]) { $0.name = " " }
            await expectInvalid(["id"]) { $0.id = "x" }
            await expectInvalid(["version", "since"]) { ($0.version, $0.since) = (1, .init(morning)) }
            await expect(.invalidArgument, fields: ["rule"]) { try await alerts.createAlertRule(.init(), context: ada.context) }
        }
    }
}

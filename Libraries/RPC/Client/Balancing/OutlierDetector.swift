/// Decides which addresses are left out for a while because their calls fail (gRFC A50). It is told how calls ended
/// and, once an interval, to look at them.
struct OutlierDetector {
    private struct Record {
        var successes = 0
        var failures = 0
        var ejectedAt: ContinuousClock.Instant?
        var multiplier = 0

        var volume: Int { successes + failures }
        var successRate: Double { Double(successes) / Double(volume) }
    }

    private let config: OutlierDetection
    private var records: [RPCAddress: Record] = [:]

    init(_ config: OutlierDetection) {
        self.config = config
    }

    /// Whether a status says that the server, and not the caller, is at fault. Answers such as NOT_FOUND are what a
    /// healthy server gives.
    static func blames(_ code: StatusCode) -> Bool {
        switch code {
        case .unknown, .deadlineExceeded, .resourceExhausted, .internalError, .unavailable, .dataLoss: true
        default: false
        }
    }

    mutating func update(_ addresses: [RPCAddress]) {
        let known = records
        records = [:]
        for address in addresses { records[address] = known[address] ?? Record() }
    }

    mutating func callEnded(at address: RPCAddress, succeeded: Bool) {
        if succeeded { records[address]?.successes += 1 } else { records[address]?.failures += 1 }
    }

    /// Judges the calls since the last sweep, and answers which addresses are left out from now on. `chance` gives
    /// a number from 0 to 99.
    mutating func sweep(now: ContinuousClock.Instant, chance: () -> Int) -> Set<RPCAddress> {
        // In one order, so that a sweep can be foretold.
        let order = records.keys.sorted { ($0.host, $0.port) < ($1.host, $1.port) }
        ejectBySuccessRate(order, now, chance)
        ejectByFailurePercentage(order, now, chance)
        for address in order { release(address, now) }
        return Set(order.filter { records[$0]?.ejectedAt != nil })
    }

    private mutating func ejectBySuccessRate(
        _ order: [RPCAddress], _ now: ContinuousClock.Instant, _ chance: () -> Int
    ) {
        guard let rule = config.successRate else { return }
        let judged = order.filter { (records[$0]?.volume ?? 0) >= max(1, rule.requestVolume) }
        guard !judged.isEmpty, judged.count >= rule.minimumHosts else { return }
        let rates = judged.compactMap { records[$0]?.successRate }
        let mean = rates.reduce(0, +) / Double(rates.count)
        let variance = rates.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(rates.count)
        let threshold = mean - variance.squareRoot() * Double(rule.stdevFactor) / 1_000
        for (address, rate) in zip(judged, rates) where rate < threshold {
            eject(address, now, if: chance() < rule.enforcementPercent)
        }
    }

    private mutating func ejectByFailurePercentage(
        _ order: [RPCAddress], _ now: ContinuousClock.Instant, _ chance: () -> Int
    ) {
        guard let rule = config.failurePercentage, order.count >= rule.minimumHosts else { return }
        for address in order {
            guard let record = records[address], record.volume >= max(1, rule.requestVolume) else { continue }
            guard (1 - record.successRate) * 100 > Double(rule.threshold) else { continue }
            eject(address, now, if: chance() < rule.enforcementPercent)
        }
    }

    private mutating func eject(_ address: RPCAddress, _ now: ContinuousClock.Instant, if isEnforced: Bool) {
        guard isEnforced, records[address]?.ejectedAt == nil else { return }
        // A50 stops when the share is exceeded, so one may always be ejected; here the last one never is.
        let ejected = records.values.count { $0.ejectedAt != nil }
        guard ejected + 1 < records.count, ejected * 100 <= config.maxEjectionPercent * records.count else { return }
        if ejected > 0, (ejected + 1) * 100 > config.maxEjectionPercent * records.count { return }
        records[address]?.ejectedAt = now
        records[address]?.multiplier += 1
    }

    private mutating func release(_ address: RPCAddress, _ now: ContinuousClock.Instant) {
        guard var record = records[address] else { return }
        record.successes = 0
        record.failures = 0
        if let ejectedAt = record.ejectedAt {
            let limit = max(config.baseEjectionTime, config.maxEjectionTime)
            let time = min(config.baseEjectionTime * record.multiplier, limit)
            if now > ejectedAt + time { record.ejectedAt = nil }
        } else if record.multiplier > 0 {
            record.multiplier -= 1
        }
        records[address] = record
    }
}

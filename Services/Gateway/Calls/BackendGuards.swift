import Redis
import Resilience
import Telemetry

/// A breaker and a bulkhead for each service.
struct BackendGuards: Sendable {
    let breakers: CircuitBreakers
    let answers = LastAnswers()
    private let bulkheads: [Backend: Bulkhead]
    private let streams: [Backend: Bulkhead]

    init(_ configuration: GatewayConfiguration.Guards, redis: Redis) {
        breakers = CircuitBreakers(
            Backend.allCases.map(\.rawValue), redis: redis, group: "gateway", configuration: configuration.breaker)
        func each(_ bulkhead: () -> Bulkhead) -> [Backend: Bulkhead] {
            Dictionary(uniqueKeysWithValues: Backend.allCases.map { ($0, bulkhead()) })
        }
        bulkheads = each {
            Bulkhead(limit: configuration.calls, maxWaiting: configuration.waitingCalls, maxWait: configuration.wait)
        }
        streams = each { Bulkhead(limit: configuration.streams, maxWaiting: 0, maxWait: .zero) }
    }

    subscript(_ backend: Backend) -> BackendGuard {
        BackendGuard(
            backend: backend, breaker: breakers[backend.rawValue], bulkhead: bulkhead(of: backend, bulkheads),
            streams: bulkhead(of: backend, streams), answers: answers)
    }

    private func bulkhead(of backend: Backend, _ bulkheads: [Backend: Bulkhead]) -> Bulkhead {
        guard let bulkhead = bulkheads[backend] else { preconditionFailure("every backend has a bulkhead") }
        return bulkhead
    }

    func write(to text: inout PrometheusText) {
        let reports = Backend.allCases.map { ($0.rawValue, breakers[$0.rawValue].report, bulkhead(of: $0, bulkheads).report) }
        let state = "heartguard_breaker_state"
        text.family(state, .gauge, help: "The state of the breaker of each service: 1 for the one that it is in.")
        for (service, breaker, _) in reports {
            for standing in CircuitBreaker.Standing.allCases {
                text.sample(state, [("service", service), ("state", standing.rawValue)], UInt64(breaker.standing == standing ? 1 : 0))
            }
        }
        func family(
            _ name: String, _ kind: PrometheusText.Kind, _ help: String,
            _ value: ((breaker: CircuitBreaker.Report, bulkhead: Bulkhead.Report)) -> Int
        ) {
            text.family(name, kind, help: help)
            for (service, breaker, bulkhead) in reports {
                text.sample(name, [("service", service)], UInt64(max(0, value((breaker, bulkhead)))))
            }
        }
        family("heartguard_breaker_openings_total", .counter, "Times that this Gateway found the service failing.") { $0.breaker.openings }
        family("heartguard_breaker_refused_total", .counter, "Calls that an open breaker turned away.") { $0.breaker.refused }
        family("heartguard_breaker_failing_verdicts", .gauge, "Gateways that hold that the service fails, as last heard.") { $0.breaker.failingReplicas }
        family("heartguard_breaker_gateways", .gauge, "Gateways that judge the service, as last heard.") { $0.breaker.liveReplicas }
        family("heartguard_bulkhead_in_use", .gauge, "Calls of the service that go on now.") { $0.bulkhead.inUse }
        family("heartguard_bulkhead_waiting", .gauge, "Calls that wait for a place.") { $0.bulkhead.waiting }
        family("heartguard_bulkhead_limit", .gauge, "Calls that may go on at a time.") { $0.bulkhead.limit }
        family("heartguard_bulkhead_refused_total", .counter, "Calls for which there was no place in time.") { $0.bulkhead.refused }
    }
}

internal import CoreMetrics

/// What is known of the calls of one method that ended with one status.
package struct MethodMetrics: Sendable, Equatable {
    /// Such as `heartguard.users.v1.UsersService/GetProfile`; `_OTHER` for requests that reached no method.
    package let method: String
    /// Such as `OK` or `NOT_FOUND`.
    package let status: String
    /// In nanoseconds.
    package let durations: Distribution
    /// In bytes as they travelled.
    package let requests: Distribution?
    package let responses: Distribution?
}

extension RPCMetrics {
    /// The methods that were called, out of everything that a backend holds.
    package static func snapshot(of metrics: HDRMetrics) -> [MethodMetrics] {
        let series = metrics.snapshot()
        var sizes: [String: [[String: String]: Distribution]] = [:]
        for case let one in series {
            if case .values(let distribution) = one.value { sizes[one.label, default: [:]][one.dimensions] = distribution }
        }
        return series.compactMap { one in
            guard one.label == MethodMeter.duration, case .durations(let durations) = one.value,
                let method = one.dimensions[OTelName.methodAttribute], let status = one.dimensions[OTelName.statusAttribute]
            else { return nil }
            return MethodMetrics(
                method: method, status: status, durations: durations,
                requests: sizes[MethodMeter.requestSize]?[one.dimensions], responses: sizes[MethodMeter.responseSize]?[one.dimensions])
        }
    }
}

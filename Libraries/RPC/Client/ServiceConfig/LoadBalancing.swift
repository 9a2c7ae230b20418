/// Which of a channel's addresses a call goes to.
package struct LoadBalancing: Sendable, Hashable {
    package enum Policy: Sendable, Hashable {
        /// The first address that can be reached, until it cannot.
        case pickFirst
        /// One after the other.
        case roundRobin
        /// The one with the fewest calls under way out of so many chosen by chance (gRFC A48).
        case leastRequests(choices: Int)
    }

    package var policy: Policy
    /// Leaves addresses out whose calls fail more than those of the others; `nil` never does.
    package var outlierDetection: OutlierDetection?

    package init(_ policy: Policy, outlierDetection: OutlierDetection? = nil) {
        self.policy = policy
        self.outlierDetection = outlierDetection
    }
}

/// When an address is left out because its calls fail, and for how long (gRFC A50).
package struct OutlierDetection: Sendable, Hashable {
    /// Addresses whose share of successes is far below the mean of all are left out.
    package struct SuccessRate: Sendable, Hashable {
        /// How many standard deviations below the mean are too far, in thousandths.
        package var stdevFactor = 1_900
        package var enforcementPercent = 100
        package var minimumHosts = 5
        package var requestVolume = 100

        package init() {}
    }

    /// Addresses whose share of failures is above a threshold are left out, whatever the others do.
    package struct FailurePercentage: Sendable, Hashable {
        package var threshold = 85
        package var enforcementPercent = 100
        package var minimumHosts = 5
        package var requestVolume = 50

        package init() {}
    }

    /// How often the calls are looked at.
    package var interval: Duration = .seconds(10)
    /// Multiplied by how often the address was left out before.
    package var baseEjectionTime: Duration = .seconds(30)
    /// The longest ejection, unless the base is longer.
    package var maxEjectionTime: Duration = .seconds(300)
    /// One address may always be left out, and all of them never.
    package var maxEjectionPercent = 10
    package var successRate: SuccessRate?
    package var failurePercentage: FailurePercentage?

    package init() {}
}

extension LoadBalancing {
    /// The first policy of a list that is known here, as service_config.md has it.
    init(_ tree: JSONTree) throws(ServiceConfig.Problem) {
        for item in try tree.items() {
            let members = try item.members()
            guard members.count == 1, let (name, value) = members.first else {
                throw item.problem("An object with exactly one policy is expected.")
            }
            switch name {
            case "pick_first": self.init(.pickFirst)
            case "round_robin": self.init(.roundRobin)
            case "least_request", "least_request_experimental":
                // A48 has choices below 2 refused and those above 10 taken as 10.
                let choices = try value.member("choiceCount")?.integer(in: 2...Int(Int32.max)) ?? 2
                self.init(.leastRequests(choices: min(choices, 10)))
            case "outlier_detection", "outlier_detection_experimental":
                let child = try LoadBalancing(value.required("childPolicy"))
                self.init(child.policy, outlierDetection: try OutlierDetection(value))
            default: continue
            }
            return
        }
        throw tree.problem("None of its policies is known here.")
    }

    /// The older way of naming a policy.
    static func policy(named tree: JSONTree) throws(ServiceConfig.Problem) -> Policy {
        switch try tree.text().lowercased() {
        case "pick_first": .pickFirst
        case "round_robin": .roundRobin
        case "least_request", "least_request_experimental": .leastRequests(choices: 2)
        default: throw tree.problem("The policy is not known here.")
        }
    }
}

extension OutlierDetection {
    fileprivate init(_ tree: JSONTree) throws(ServiceConfig.Problem) {
        self.init()
        interval = try tree.member("interval")?.positiveDuration() ?? interval
        baseEjectionTime = try tree.member("baseEjectionTime")?.duration() ?? baseEjectionTime
        maxEjectionTime = try tree.member("maxEjectionTime")?.duration() ?? max(maxEjectionTime, baseEjectionTime)
        maxEjectionPercent = try tree.member("maxEjectionPercent")?.integer(in: 0...100) ?? maxEjectionPercent
        if let part = try tree.member("successRateEjection") { successRate = try SuccessRate(part) }
        if let part = try tree.member("failurePercentageEjection") { failurePercentage = try FailurePercentage(part) }
    }
}

extension OutlierDetection.SuccessRate {
    fileprivate init(_ tree: JSONTree) throws(ServiceConfig.Problem) {
        self.init()
        stdevFactor = try tree.member("stdevFactor")?.integer(in: 0...Int(UInt32.max)) ?? stdevFactor
        enforcementPercent = try tree.member("enforcementPercentage")?.integer(in: 0...100) ?? enforcementPercent
        minimumHosts = try tree.member("minimumHosts")?.integer(in: 0...Int(UInt32.max)) ?? minimumHosts
        requestVolume = try tree.member("requestVolume")?.integer(in: 0...Int(UInt32.max)) ?? requestVolume
    }
}

extension OutlierDetection.FailurePercentage {
    fileprivate init(_ tree: JSONTree) throws(ServiceConfig.Problem) {
        self.init()
        threshold = try tree.member("threshold")?.integer(in: 0...100) ?? threshold
        enforcementPercent = try tree.member("enforcementPercentage")?.integer(in: 0...100) ?? enforcementPercent
        minimumHosts = try tree.member("minimumHosts")?.integer(in: 0...Int(UInt32.max)) ?? minimumHosts
        requestVolume = try tree.member("requestVolume")?.integer(in: 0...Int(UInt32.max)) ?? requestVolume
    }
}

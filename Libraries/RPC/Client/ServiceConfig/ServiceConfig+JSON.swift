extension ServiceConfig {
    /// Reads a config as gRPC writes it. Members that it does not know are left aside, as service_config.md asks.
    package init(json text: String) throws(Problem) {
        let tree = try JSONTree(text)
        methods = []
        var seen: Set<MethodConfig.Name> = []
        for item in try tree.member("methodConfig")?.items() ?? [] {
            let method = try MethodConfig(item)
            for name in method.names where !seen.insert(name).inserted {
                throw item.problem("The name \(name.path) has a config already.")
            }
            methods.append(method)
        }
        if let throttling = try tree.member("retryThrottling") { retryThrottling = try RetryThrottling(throttling) }
        if let policies = try tree.member("loadBalancingConfig") {
            loadBalancing = try LoadBalancing(policies)
        } else if let name = try tree.member("loadBalancingPolicy") {
            loadBalancing = LoadBalancing(try LoadBalancing.policy(named: name))
        }
    }
}

extension ServiceConfig.RetryThrottling {
    fileprivate init(_ tree: JSONTree) throws(ServiceConfig.Problem) {
        maxTokens = try tree.required("maxTokens").integer(in: 1...1_000)
        let ratio = try tree.required("tokenRatio")
        tokenRatio = try ratio.number()
        guard tokenRatio >= 0.001, tokenRatio <= 1_000 else { throw ratio.problem("A number from 0.001 to 1000 is expected.") }
    }
}

extension MethodConfig {
    fileprivate init(_ tree: JSONTree) throws(ServiceConfig.Problem) {
        names = []
        for item in try tree.required("name").items() {
            let service = try item.member("service")?.text() ?? ""
            let method = try item.member("method")?.text() ?? ""
            if service.isEmpty, !method.isEmpty { throw item.problem("A method needs its service.") }
            names.append(Name(service: service, method: method))
        }
        timeout = try tree.member("timeout")?.duration()
        waitForReady = try tree.member("waitForReady")?.bool()
        maxRequestMessageBytes = try tree.member("maxRequestMessageBytes")?.integer(in: 0...Int(UInt32.max))
        maxResponseMessageBytes = try tree.member("maxResponseMessageBytes")?.integer(in: 0...Int(UInt32.max))
        if let retry = try tree.member("retryPolicy") { repetition = .retry(try RetryPolicy(retry)) }
        if let hedging = try tree.member("hedgingPolicy") {
            if repetition != nil { throw hedging.problem("A method is either retried or hedged.") }
            repetition = .hedging(try HedgingPolicy(hedging))
        }
    }
}

extension RetryPolicy {
    fileprivate init(_ tree: JSONTree) throws(ServiceConfig.Problem) {
        maxAttempts = try tree.required("maxAttempts").integer(in: 2...Int(Int32.max))
        initialBackoff = try tree.required("initialBackoff").positiveDuration()
        maxBackoff = try tree.required("maxBackoff").positiveDuration()
        let multiplier = try tree.required("backoffMultiplier")
        backoffMultiplier = try multiplier.number()
        guard backoffMultiplier > 0 else { throw multiplier.problem("It must be more than nothing.") }
        retryableStatusCodes = try StatusCode.set(tree.required("retryableStatusCodes"))
        if retryableStatusCodes.isEmpty { throw try tree.required("retryableStatusCodes").problem("It is empty.") }
    }
}

extension HedgingPolicy {
    fileprivate init(_ tree: JSONTree) throws(ServiceConfig.Problem) {
        maxAttempts = try tree.required("maxAttempts").integer(in: 2...Int(Int32.max))
        hedgingDelay = try tree.member("hedgingDelay")?.duration() ?? .zero
        nonFatalStatusCodes = try tree.member("nonFatalStatusCodes").map(StatusCode.set) ?? []
    }
}

extension StatusCode {
    /// A list of codes, each by its name or its number.
    fileprivate static func set(_ tree: JSONTree) throws(ServiceConfig.Problem) -> Set<StatusCode> {
        var codes: Set<StatusCode> = []
        for item in try tree.items() {
            let code: StatusCode?
            if let name = try? item.text() {
                code = allCases.first { $0.name == name.uppercased() }
            } else {
                code = (try? item.integer(in: 0...16)).flatMap(StatusCode.init(rawValue:))
            }
            guard let code, code != .ok else { throw item.problem("It is not the code of a failure.") }
            codes.insert(code)
        }
        return codes
    }
}

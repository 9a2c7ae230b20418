import Testing

@testable import RPC

@Suite struct `A service config` {
    @Test func `is read as gRPC writes it`() throws {
        let config = try ServiceConfig(
            json: """
                {
                  "loadBalancingConfig": [
                    {"grpclb": {}},
                    {"outlier_detection": {
                      "interval": "5s", "baseEjectionTime": "1.5s", "maxEjectionPercent": 40,
                      "failurePercentageEjection": {"threshold": 60, "minimumHosts": 2},
                      "childPolicy": [{"least_request_experimental": {"choiceCount": 3}}]
                    }}
                  ],
                  "methodConfig": [
                    {
                      "name": [{"service": "test.Notes", "method": "Say"}, {"service": "test.Other"}],
                      "timeout": "2s", "waitForReady": true, "maxRequestMessageBytes": 100, "maxResponseMessageBytes": "200",
                      "retryPolicy": {
                        "maxAttempts": 4, "initialBackoff": ".1s", "maxBackoff": "1s", "backoffMultiplier": 2,
                        "retryableStatusCodes": ["UNAVAILABLE", "aborted", 8]
                      },
                      "somethingNew": 1
                    },
                    {"name": [{}], "hedgingPolicy": {"maxAttempts": 3, "hedgingDelay": "0.5s", "nonFatalStatusCodes": ["INTERNAL"]}}
                  ],
                  "retryThrottling": {"maxTokens": 10, "tokenRatio": 0.1}
                }
                """)

        var detection = OutlierDetection()
        detection.interval = .seconds(5)
        detection.baseEjectionTime = .seconds(1.5)
        detection.maxEjectionPercent = 40
        var rule = OutlierDetection.FailurePercentage()
        rule.threshold = 60
        rule.minimumHosts = 2
        detection.failurePercentage = rule
        #expect(config.loadBalancing == LoadBalancing(.leastRequests(choices: 3), outlierDetection: detection))
        let retry = RetryPolicy(
            maxAttempts: 4, initialBackoff: .milliseconds(100), maxBackoff: .seconds(1), backoffMultiplier: 2,
            retryableStatusCodes: [.unavailable, .aborted, .resourceExhausted])
        #expect(
            config.methods == [
                MethodConfig(
                    names: [.init(service: "test.Notes", method: "Say"), .init(service: "test.Other")], timeout: .seconds(2),
                    waitForReady: true, repetition: .retry(retry), maxRequestMessageBytes: 100, maxResponseMessageBytes: 200),
                MethodConfig(
                    names: [.init()],
                    repetition: .hedging(
                        HedgingPolicy(maxAttempts: 3, hedgingDelay: .milliseconds(500), nonFatalStatusCodes: [.internalError]))),
            ])
        #expect(config.retryThrottling == .init(maxTokens: 10, tokenRatio: 0.1))
    }

    @Test func `may be empty`() throws {
        #expect(try ServiceConfig(json: "{}") == ServiceConfig())
    }

    private static let retry = #""maxAttempts": 2, "initialBackoff": "1s", "maxBackoff": "1s", "backoffMultiplier": 1"#

    @Test(arguments: [
        ("{", "$"),
        ("[]", "$"),
        (#"{"methodConfig": {}}"#, "$.methodConfig"),
        (#"{"methodConfig": [{}]}"#, "$.methodConfig[0]"),
        (#"{"methodConfig": [{"name": [{"method": "Say"}]}]}"#, "$.methodConfig[0].name[0]"),
        (#"{"methodConfig": [{"name": [{}]}, {"name": [{}]}]}"#, "$.methodConfig[1]"),
        (#"{"methodConfig": [{"name": [], "timeout": "1"}]}"#, "$.methodConfig[0].timeout"),
        (#"{"methodConfig": [{"name": [], "timeout": "-1s"}]}"#, "$.methodConfig[0].timeout"),
        (#"{"methodConfig": [{"name": [], "timeout": "1e3s"}]}"#, "$.methodConfig[0].timeout"),
        (#"{"methodConfig": [{"name": [], "waitForReady": 1}]}"#, "$.methodConfig[0].waitForReady"),
        (#"{"methodConfig": [{"name": [], "maxRequestMessageBytes": -1}]}"#, "$.methodConfig[0].maxRequestMessageBytes"),
        (#"{"methodConfig": [{"name": [], "retryPolicy": {\#(retry)}}]}"#, "$.methodConfig[0].retryPolicy"),
        (
            #"{"methodConfig": [{"name": [], "retryPolicy": {\#(retry), "retryableStatusCodes": []}}]}"#,
            "$.methodConfig[0].retryPolicy.retryableStatusCodes"
        ),
        (
            #"{"methodConfig": [{"name": [], "retryPolicy": {\#(retry), "retryableStatusCodes": ["OK"]}}]}"#,
            "$.methodConfig[0].retryPolicy.retryableStatusCodes[0]"
        ),
        (
            #"{"methodConfig": [{"name": [], "retryPolicy": {"maxAttempts": 1}}]}"#,
            "$.methodConfig[0].retryPolicy.maxAttempts"
        ),
        (
            #"{"methodConfig": [{"name": [], "retryPolicy": {"maxAttempts": 2, "initialBackoff": "0s"}}]}"#,
            "$.methodConfig[0].retryPolicy.initialBackoff"
        ),
        (
            #"{"methodConfig": [{"name": [], "hedgingPolicy": {"maxAttempts": 2.5}}]}"#,
            "$.methodConfig[0].hedgingPolicy.maxAttempts"
        ),
        (
            #"{"methodConfig": [{"name": [], "retryPolicy": {\#(retry), "retryableStatusCodes": [14]}, "hedgingPolicy": {}}]}"#,
            "$.methodConfig[0].hedgingPolicy"
        ),
        (#"{"retryThrottling": {"maxTokens": 0, "tokenRatio": 1}}"#, "$.retryThrottling.maxTokens"),
        (#"{"retryThrottling": {"maxTokens": 10, "tokenRatio": 0}}"#, "$.retryThrottling.tokenRatio"),
        (#"{"loadBalancingConfig": [{"grpclb": {}}]}"#, "$.loadBalancingConfig"),
        (#"{"loadBalancingConfig": [{"a": {}, "b": {}}]}"#, "$.loadBalancingConfig[0]"),
        (
            #"{"loadBalancingConfig": [{"outlier_detection": {"maxEjectionPercent": 101, "childPolicy": [{"round_robin": {}}]}}]}"#,
            "$.loadBalancingConfig[0].outlier_detection.maxEjectionPercent"
        ),
        (#"{"loadBalancingPolicy": "nearest"}"#, "$.loadBalancingPolicy"),
    ])
    func `that is wrong is refused in a sentence that says where`(text: String, path: String) {
        let problem = #expect(throws: ServiceConfig.Problem.self) { try ServiceConfig(json: text) }

        #expect(problem?.path == path)
        #expect(problem.map { "\($0)" }?.hasPrefix("The service config is wrong at \(path): ") == true)
    }

    private func method(_ service: String, _ name: String, _ idempotency: MethodPolicy.Idempotency) -> MethodDescriptor {
        MethodDescriptor(
            service: service, name: name, kind: .unary, policy: .init(access: .anyone, idempotency: idempotency))
    }

    @Test func `holds for a method by its name, else its service's, else for all`() {
        let plans = CallPlans(
            ServiceConfig(methods: [
                MethodConfig(names: [.init()], timeout: .seconds(1)),
                MethodConfig(names: [.init(service: "a")], timeout: .seconds(2)),
                MethodConfig(names: [.init(service: "a", method: "X")], timeout: .seconds(3)),
            ]))

        #expect(plans.plan(of: method("a", "X", .idempotent))?.timeout == .seconds(3))
        #expect(plans.plan(of: method("a", "Y", .idempotent))?.timeout == .seconds(2))
        #expect(plans.plan(of: method("b", "X", .idempotent))?.timeout == .seconds(1))
    }

    @Test func `hedges nothing that is not idempotent by its contract`() {
        let hedging = HedgingPolicy(maxAttempts: 2, hedgingDelay: .zero, nonFatalStatusCodes: [])
        let plans = CallPlans(
            ServiceConfig(methods: [MethodConfig(names: [.init()], timeout: .seconds(1), repetition: .hedging(hedging))]))

        #expect(plans.plan(of: method("a", "X", .notIdempotent))?.repetition == nil)
        #expect(plans.plan(of: method("a", "X", .notIdempotent))?.timeout == .seconds(1))
        #expect(plans.plan(of: method("a", "X", .idempotent))?.repetition == .hedging(hedging))
        #expect(plans.plan(of: method("a", "X", .noSideEffects))?.repetition == .hedging(hedging))
    }
}

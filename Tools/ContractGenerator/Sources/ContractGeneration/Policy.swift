internal import SwiftProtobuf
internal import SwiftProtobufPluginLibrary

/// What a method promises about itself, read from `option (heartguard.policy.v1.policy)`.
struct Policy {
    /// The Swift expression that makes the policy.
    let expression: String

    /// The numbers of proto/heartguard/policy/v1/policy.proto.
    private enum Option {
        static let policy = 50601
        static let phi = 50602
        static let secret = 50603
    }

    /// - Throws: `ContractFault` naming the method when one of ours has no policy or leaves a part of it unsaid.
    init(of method: MethodDescriptor) throws(ContractFault) {
        let options = OptionBytes(method.options.unknownFields.data)
        guard let bytes = options?.message(Option.policy), let policy = OptionBytes(bytes) else {
            guard !method.file.package.hasPrefix("heartguard.") else {
                throw ContractFault(
                    "\(method.fullName) has no policy: give it option (heartguard.policy.v1.policy), "
                        + "which says who may call it and how long it may take.")
            }
            expression = Self.policyOfOthers(method)
            return
        }

        func choice(_ field: Int, _ name: String, _ cases: [String]) throws(ContractFault) -> String {
            let number = Int(policy.number(field) ?? 0)
            guard number > 0 else {
                throw ContractFault("\(method.fullName): its policy leaves \(name) unspecified.")
            }
            guard number <= cases.count else {
                throw ContractFault("\(method.fullName): its policy has the unknown \(name) \(number).")
            }
            return ".\(cases[number - 1])"
        }

        let access = try choice(1, "access", ["anyone", "user", "service", "operator_"])
        let timeout = try choice(2, "timeout", ["fast", "normal", "slow", "batch"])
        let idempotency = try choice(4, "idempotency", ["noSideEffects", "idempotent", "notIdempotent"])
        let audit = try choice(5, "audit", ["none", "read", "write", "security"])
        let redisLoss = try choice(6, "on_redis_loss", ["failOpen", "failClosed"])
        guard let cost = policy.number(3), cost > 0 else {
            throw ContractFault("\(method.fullName): its policy has no cost; the least is 1.")
        }
        let callers = try Self.callers(policy, isForServices: access == ".service", method)
        let scopes = try Self.scopes(policy, isForUsers: access == ".user", method)
        let secrets = try Self.secrets(of: method)
        expression = """
            RPC.MethodPolicy(access: \(access), timeout: \(timeout), cost: \(cost), idempotency: \(idempotency), \
            audit: \(audit), cacheTTL: \(Self.cacheTTL(policy)), onRedisLoss: \(redisLoss)\(callers)\(scopes)\(secrets))
            """
    }

    /// Whether a field carries health data or a secret.
    static func isProtected(_ field: FieldDescriptor) -> Bool {
        OptionBytes(field.options.unknownFields.data)?.number(Option.phi) == 1
    }

    /// The argument that says so of a method whose request or answer has a secret, at whatever depth; empty for others.
    ///
    /// - Throws: `ContractFault` naming a secret that is not protected.
    private static func secrets(of method: MethodDescriptor) throws(ContractFault) -> String {
        var known: Set<String> = []
        var open = [method.inputType, method.outputType].compactMap { $0 }
        var holdsSecrets = false
        while let message = open.popLast() {
            guard known.insert(message.fullName).inserted else { continue }
            for field in message.fields {
                if OptionBytes(field.options.unknownFields.data)?.number(Option.secret) == 1 {
                    guard isProtected(field) else { throw ContractFault("\(field.fullName) is a secret and not phi.") }
                    holdsSecrets = true
                }
                if let inner = field.messageType { open.append(inner) }
            }
        }
        return holdsSecrets ? ", holdsSecrets: true" : ""
    }

    /// The argument that names the services which may call a method; empty for a method that is not for services.
    private static func callers(
        _ policy: OptionBytes, isForServices: Bool, _ method: MethodDescriptor
    ) throws(ContractFault) -> String {
        let names = policy.messages(8).map { String(decoding: $0, as: UTF8.self) }
        guard isForServices else {
            guard names.isEmpty else {
                throw ContractFault("\(method.fullName): its policy names callers, which only access = ACCESS_SERVICE has.")
            }
            return ""
        }
        guard !names.isEmpty else {
            throw ContractFault("\(method.fullName): its policy is for services and names none in callers.")
        }
        for name in names where name.wholeMatch(of: /[a-z][a-z0-9-]*/) == nil {
            throw ContractFault("\(method.fullName): its policy has the caller \"\(name)\", which is no service's name.")
        }
        return ", callers: [\(names.map { "\"\($0)\"" }.joined(separator: ", "))]"
    }

    /// In the order of their numbers.
    private static let careScopes = [
        "vitalsRead", "vitalsWrite", "medicationsRead", "medicationsWrite", "profileRead", "appointmentsRead", "appointmentsWrite",
        "chatRead",
    ]

    /// The argument that names what a clinician has to be granted; empty for a method that nobody calls for somebody else.
    private static func scopes(
        _ policy: OptionBytes, isForUsers: Bool, _ method: MethodDescriptor
    ) throws(ContractFault) -> String {
        guard let numbers = policy.numbers(9) else { throw ContractFault("\(method.fullName): its policy has scopes that cannot be read.") }
        guard !numbers.isEmpty else { return "" }
        guard isForUsers else {
            throw ContractFault("\(method.fullName): its policy has scopes, which only access = ACCESS_USER has.")
        }
        var names: [String] = []
        for number in numbers {
            guard (1...UInt64(careScopes.count)).contains(number) else {
                throw ContractFault("\(method.fullName): its policy has the unknown scope \(number).")
            }
            names.append(".\(careScopes[Int(number) - 1])")
        }
        return ", scopes: [\(names.joined(separator: ", "))]"
    }

    private static func cacheTTL(_ policy: OptionBytes) -> String {
        guard let bytes = policy.message(7), let duration = OptionBytes(bytes) else { return "nil" }
        let seconds = duration.number(1) ?? 0
        let nanoseconds = duration.number(2) ?? 0
        return nanoseconds == 0 ? ".seconds(\(seconds))" : ".seconds(\(seconds)) + .nanoseconds(\(nanoseconds))"
    }

    /// Contracts that others wrote, such as grpc.health.v1, cannot carry our options. They tell nothing about a person;
    /// channelz tells where callers are, which is for those who run the system. What the server sends until the caller
    /// hangs up, such as a watch, has no time limit.
    private static func policyOfOthers(_ method: MethodDescriptor) -> String {
        let access = method.file.package.hasPrefix("grpc.channelz.") ? "operator_" : "anyone"
        let timeout = method.clientStreaming ? "batch" : method.serverStreaming ? "standing" : "fast"
        return """
        RPC.MethodPolicy(access: .\(access), timeout: .\(timeout), cost: 1, \
        idempotency: .noSideEffects, audit: .none, cacheTTL: nil, onRedisLoss: .failOpen)
        """
    }
}

/// A contract that cannot be generated, in a sentence that names the place.
package struct ContractFault: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}

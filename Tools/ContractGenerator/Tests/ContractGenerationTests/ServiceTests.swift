import SwiftProtobuf
import SwiftProtobufPluginLibrary
import Testing

@Suite struct `A method of ours` {
    @Test func `without a policy is refused by name`() throws {
        var contract = Contract()
        try contract.method("Find")

        #expect(
            contract.answer.error == "heartguard.tests.v1.FindService.Find has no policy: give it option "
                + "(heartguard.policy.v1.policy), which says who may call it and how long it may take.")
        #expect(contract.answer.file.isEmpty)
    }

    @Test(arguments: [
        ([0x10, 1, 0x18, 1, 0x20, 1, 0x28, 1, 0x30, 1], "leaves access unspecified"),
        ([0x08, 1, 0x18, 1, 0x20, 1, 0x28, 1, 0x30, 1], "leaves timeout unspecified"),
        ([0x08, 1, 0x10, 1, 0x20, 1, 0x28, 1, 0x30, 1], "has no cost"),
        ([0x08, 1, 0x10, 1, 0x18, 1, 0x28, 1, 0x30, 1], "leaves idempotency unspecified"),
        ([0x08, 1, 0x10, 1, 0x18, 1, 0x20, 1, 0x30, 1], "leaves audit unspecified"),
        ([0x08, 1, 0x10, 1, 0x18, 1, 0x20, 1, 0x28, 1], "leaves on_redis_loss unspecified"),
        ([0x08, 9, 0x10, 1, 0x18, 1, 0x20, 1, 0x28, 1, 0x30, 1], "has the unknown access 9"),
        ([0x08, 3, 0x10, 1, 0x18, 1, 0x20, 1, 0x28, 1, 0x30, 1], "is for services and names none in callers"),
        ([0x08, 2, 0x10, 1, 0x18, 1, 0x20, 1, 0x28, 1, 0x30, 1, 0x42, 1, 0x61], "names callers, which only"),
        ([0x08, 3, 0x10, 1, 0x18, 1, 0x20, 1, 0x28, 1, 0x30, 1, 0x42, 1, 0x2a], "has the caller \"*\", which is no"),
        ([0x08, 1, 0x10, 1, 0x18, 1, 0x20, 1, 0x28, 1, 0x30, 1, 0x48, 1], "has scopes, which only access = ACCESS_USER has"),
        ([0x08, 4, 0x10, 1, 0x18, 1, 0x20, 1, 0x28, 1, 0x30, 1, 0x4a, 1, 1], "has scopes, which only access = ACCESS_USER has"),
        ([0x08, 2, 0x10, 1, 0x18, 1, 0x20, 1, 0x28, 1, 0x30, 1, 0x48, 0], "has the unknown scope 0"),
        ([0x08, 2, 0x10, 1, 0x18, 1, 0x20, 1, 0x28, 1, 0x30, 1, 0x4a, 2, 1, 99], "has the unknown scope 99"),
        ([0x08, 2, 0x10, 1, 0x18, 1, 0x20, 1, 0x28, 1, 0x30, 1, 0x4a, 1, 0x80], "has scopes that cannot be read"),
    ] as [([UInt8], String)])
    func `whose policy leaves a part unsaid is refused, and the part named`(policy: [UInt8], reason: String) throws {
        var contract = Contract()
        try contract.method("Find", options: Option.policy(policy))

        #expect(contract.answer.error.hasPrefix("heartguard.tests.v1.FindService.Find: its policy \(reason)"))
    }

    @Test func `carries its policy and its routes`() throws {
        var contract = Contract()
        try contract.method("Find", options: Option.policy + Option.get("/v1/things/{id}"))

        #expect(contract.answer.error.isEmpty)
        #expect(
            contract.swift.contains(
                "RPC.MethodPolicy(access: .user, timeout: .fast, cost: 2, idempotency: .idempotent, audit: .read, "
                    + "cacheTTL: nil, onRedisLoss: .failOpen)"))
        #expect(contract.swift.contains(#"RPC.HTTPRoute(method: "GET", path: "/v1/things/{id}", body: "")"#))
    }

    @Test func `for services names those that may call it`() throws {
        var contract = Contract()
        // access = service, and the callers "gateway" and "chat".
        let callers: [UInt8] = [0x42, 7] + Array("gateway".utf8) + [0x42, 4] + Array("chat".utf8)
        try contract.method("Find", options: Option.policy([0x08, 3, 0x10, 1, 0x18, 1, 0x20, 1, 0x28, 1, 0x30, 1] + callers))

        #expect(contract.answer.error.isEmpty)
        #expect(contract.swift.contains(#"onRedisLoss: .failOpen, callers: ["gateway", "chat"])"#))
    }

    @Test(arguments: [[0x4a, 2, 1, 8], [0x48, 1, 0x48, 8]] as [[UInt8]])
    func `for patients' clinicians names what they have to be granted, packed or not`(scopes: [UInt8]) throws {
        var contract = Contract()
        try contract.method("Find", options: Option.policy([0x08, 2, 0x10, 1, 0x18, 1, 0x20, 1, 0x28, 1, 0x30, 1] + scopes))

        #expect(contract.answer.error.isEmpty)
        #expect(contract.swift.contains(#"onRedisLoss: .failOpen, scopes: [.vitalsRead, .chatRead])"#))
    }

    @Test(arguments: [false, true]) func `says so when its messages hold a secret, at whatever depth`(isProtected: Bool) throws {
        var contract = Contract()
        try contract.method("Find", options: Option.policy)
        contract.message("Key", [try Contract.field("password", 1, options: (isProtected ? Option.phi : []) + Option.secret)])
        var keys = try Contract.field("keys", 2, .message, isRepeated: true)
        keys.typeName = ".heartguard.tests.v1.Key"
        contract.file.messageType[1].field.append(keys)

        if isProtected {
            #expect(contract.answer.error.isEmpty)
            #expect(contract.swift.contains("onRedisLoss: .failOpen, holdsSecrets: true)"))
        } else {
            #expect(contract.answer.error == "heartguard.tests.v1.Key.password is a secret and not phi.")
        }
    }

    @Test func `whose path names what the request has not is refused`() throws {
        var contract = Contract()
        try contract.method("Find", options: Option.policy + Option.get("/v1/things/{thing}"))

        #expect(contract.answer.error.contains("its path /v1/things/{thing} names thing, which the request has not."))
    }

    @Test func `that takes a stream has no route`() throws {
        var contract = Contract()
        try contract.method("Put", takesStream: true, options: Option.policy + Option.get("/v1/things/{id}"))

        #expect(contract.answer.error.contains("takes a stream, which JSON over HTTP/1.1 cannot carry"))
    }
}

@Suite struct `The streams of a method` {
    @Test(arguments: [
        (false, false, "-> TestsV1.GoResponse", "channel.unary(TestsV1.GoServiceMethods.go, request, options: options)"),
        (
            false, true, "responses: ResponseWriter<TestsV1.GoResponse>",
            "channel.serverStreaming(TestsV1.GoServiceMethods.go, request, options: options, body)"
        ),
        (
            true, false, "_ requests: RequestStream<TestsV1.GoRequest>",
            "channel.clientStreaming(TestsV1.GoServiceMethods.go, options: options, body)"
        ),
        (
            true, true, "_ requests: RequestStream<TestsV1.GoRequest>, responses: ResponseWriter<TestsV1.GoResponse>",
            "channel.bidirectional(TestsV1.GoServiceMethods.go, options: options, body)"
        ),
    ])
    func `are in what a server implements and in what a client calls`(
        takesStream: Bool, givesStream: Bool, server: String, client: String
    ) throws {
        var contract = Contract()
        try contract.method("Go", takesStream: takesStream, givesStream: givesStream, options: Option.policy)

        #expect(contract.answer.error.isEmpty)
        #expect(contract.swift.contains(server))
        #expect(contract.swift.contains(client))
    }
}

@Suite struct `A contract of others` {
    @Test func `needs no policy, since it cannot carry one`() throws {
        var contract = Contract(package: "grpc.tests.v1")
        try contract.method("Check")

        #expect(contract.answer.error.isEmpty)
        #expect(contract.swift.contains("access: .anyone"))
    }

    @Test func `has no time limit where the server sends until its caller hangs up`() throws {
        var contract = Contract(package: "grpc.tests.v1")
        try contract.method("Watch", givesStream: true)

        #expect(contract.swift.contains("timeout: .standing"))
    }

    @Test func `that tells where callers are is for operators`() throws {
        var contract = Contract(package: "grpc.channelz.v1")
        try contract.method("Find")

        #expect(contract.swift.contains("access: .operator_"))
    }
}

import RPC
import Synchronization
import TestSupport
import Testing

@Suite struct `An error at the JSON door` {
    /// As the comments of google/rpc/code.proto have it ("HTTP Mapping"). What says that a service is away comes last, since calls are kept from it then.
    private static let statuses: [(code: StatusCode, http: Int)] = [
        (.ok, 200), (.cancelled, 499), (.unknown, 500), (.invalidArgument, 400), (.notFound, 404), (.alreadyExists, 409),
        (.permissionDenied, 403), (.unauthenticated, 401), (.resourceExhausted, 429), (.failedPrecondition, 400), (.aborted, 409),
        (.outOfRange, 400), (.unimplemented, 501), (.internalError, 500), (.dataLoss, 500), (.deadlineExceeded, 504), (.unavailable, 503),
    ]

    /// What the service answers now.
    private final class Answer: Sendable {
        private let number = Atomic(StatusCode.ok.rawValue)

        var code: StatusCode { StatusCode(rawValue: number.load(ordering: .relaxed)) ?? .unknown }

        func become(_ code: StatusCode) { number.store(code.rawValue, ordering: .relaxed) }
    }

    @Test func `has the status that Google's table has for its code`() async throws {
        #expect(Set(Self.statuses.map(\.code)) == Set(StatusCode.allCases))
        let answer = Answer()
        try await withDoor { _ in
            let code = answer.code
            if code != .ok { throw RPCError(code, "As the test says.") }
        } _: { gateways, port in
            for (code, http) in Self.statuses {
                answer.become(code)
                let client = try await RawHTTP.connect(to: port)
                try await client.send(try await head("GET /v1/devices", of: gateways))
                try await until { client.heard.hasSuffix("}") }
                let heard = client.heard
                try? await client.close()  // the other side may have been faster

                #expect(heard.hasPrefix("HTTP/1.1 \(http) "), "\(code.name)")
                if code != .ok { #expect(heard.contains(#""code":\#(http),"status":"\#(code.name)""#), "\(code.name)") }
            }
        }
    }
}

import Contracts
import RPC
import Testing

@Suite struct `The text of a message` {
    @Test func `shows what is not marked and hides what is, at every depth`() {
        let response = UsersV1.RegisterResponse(
            user: UsersV1.User(id: "an-id", email: "canary@example.org", name: "Canary"),
            tokens: UsersV1.TokenPair(accessToken: "canary-token"))

        let text = response.description

        #expect(text.contains("an-id"))
        #expect(text.contains("‹redacted›"))
        #expect(!text.lowercased().contains("canary"))
    }
}

@Suite struct `The details of an error` {
    @Test func `name every field that is not valid`() throws {
        let error = RPCError.invalid([("email", "Must be an address."), ("name", "Must not be empty.")])

        let request = try #require(error.detail(GoogleRPC.BadRequest.self))
        #expect(error.code == .invalidArgument)
        #expect(request.fieldViolations.map(\.field) == ["email", "name"])
        #expect(error.statusDetails?.message == error.message)
    }

    @Test func `say when to try again`() throws {
        let error = RPCError.retry(.resourceExhausted, "Later.", after: .milliseconds(1_500))

        let info = try #require(error.detail(GoogleRPC.RetryInfo.self)?.retryDelay)
        #expect(info.seconds == 1)
        #expect(info.nanos == 500_000_000)
        #expect(error.retryAfterSeconds == 2)
    }

    @Test func `are in the JSON of the error too`() {
        let json = String(decoding: RPCError.invalid([("email", "Must be an address.")]).json(httpStatus: 400), as: UTF8.self)

        #expect(
            json == #"{"error":{"code":400,"status":"INVALID_ARGUMENT","message":"email: Must be an address.","#
                + #""details":[{"@type":"type.googleapis.com/google.rpc.BadRequest","#
                + #""fieldViolations":[{"field":"email","description":"Must be an address."}]}]}}"#)
    }
}

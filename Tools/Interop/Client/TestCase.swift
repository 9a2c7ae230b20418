internal import RPC

/// One test of the description, by its name there.
struct TestCase: Sendable {
    let name: String
    /// Whether `all` includes it: some tests need a server with a feature that not every gRPC has.
    var isPartOfAll = true
    /// Throws a sentence about what was not as it should be.
    let run: @Sendable (TestServer) async throws -> Void

    static let all: [TestCase] = [unary, compression, streaming, metadata, statuses, cancellation, soaks].flatMap { $0 }

    static func named(_ name: String) -> TestCase? { all.first { $0.name == name } }
}

/// What was not as the description says.
struct TestFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

func expect(_ condition: Bool, _ sentence: @autoclosure () -> String) throws(TestFailure) {
    if !condition { throw TestFailure(sentence()) }
}

/// Makes a call that should fail. Throws when it does not, or with another code.
func expectStatus<Result>(
    _ code: StatusCode, _ what: String, _ call: () async throws -> Result
) async throws -> RPCError {
    let error: RPCError
    do {
        _ = try await call()
        throw TestFailure("\(what) should have ended with \(code), and ended with OK.")
    } catch let failure as RPCError { error = failure }
    try expect(error.code == code, "\(what) should have ended with \(code), and ended with \(error).")
    return error
}

internal import Application
internal import Contracts
package import RPC
package import Testing

/// Expects a call to end with this code and, if any are given, with violations of exactly these fields.
package func expect(
    _ code: StatusCode, fields: Set<String> = [], sourceLocation: SourceLocation = #_sourceLocation,
    _ call: () async throws -> some Sendable
) async {
    do {
        _ = try await call()
        Issue.record("The call succeeded.", sourceLocation: sourceLocation)
    } catch {
        let answer = RPCError.answering(error)
        #expect(answer.code == code, sourceLocation: sourceLocation)
        #expect(Set(answer.violatedFields) == fields, sourceLocation: sourceLocation)
    }
}

extension RPCError {
    /// The fields that google.rpc.BadRequest names.
    package var violatedFields: [String] {
        detail(GoogleRPC.BadRequest.self)?.fieldViolations.map(\.field) ?? []
    }
}

import Application
import Audit
import RPC

/// Refuses a call with a field that goes on to the services and cannot be sent there. Found by the channel to a service it would be our mistake.
struct ForwardedFields: ServerInterceptor {
    private static let names = ["x-request-id", "authorization", PurposeOfUse.field, PatientAccess.header, IdempotencyKey.field]

    func intercept(_ context: RPCContext, next: @Sendable (RPCContext) async throws -> Void) async throws {
        for field in context.metadata where Self.names.contains(field.name) && !field.value.isPrintableASCII {
            throw RPCError(.invalidArgument, "\(field.name) holds characters other than printable ASCII.")
        }
        try await next(context)
    }
}

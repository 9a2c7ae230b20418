import Application
import Audit
import RPC

/// Refuses a call with a field that goes on to the services and cannot be sent there, or is longer than anything that one of them means. Found by the
/// channel to a service it would be our mistake.
struct ForwardedFields: ServerInterceptor {
    private static let names = ["x-request-id", "authorization", PurposeOfUse.field, PatientAccess.header, IdempotencyKey.field]
    /// Half of what a service takes of all fields together.
    private static let maxBytes = 8_192

    func intercept(_ context: RPCContext, next: @Sendable (RPCContext) async throws -> Void) async throws {
        for field in context.metadata where Self.names.contains(field.name) {
            guard field.value.isPrintableASCII else {
                throw RPCError(.invalidArgument, "\(field.name) holds characters other than printable ASCII.")
            }
            guard field.value.utf8.count <= Self.maxBytes else {
                throw RPCError(.invalidArgument, "\(field.name) is longer than \(Self.maxBytes) bytes.")
            }
        }
        try await next(context)
    }
}

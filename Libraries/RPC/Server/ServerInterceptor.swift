/// Stands around a handler: sees the call before it, may change its context, refuse it by throwing, or look at the
/// error that comes out. Interceptors run in the order in which the server was given them, the first outermost.
package protocol ServerInterceptor: Sendable {
    /// Calls `next` once, with the context as it came or changed; throws to end the call with that error.
    func intercept(_ context: RPCContext, next: @Sendable (RPCContext) async throws -> Void) async throws
}

/// Names a value that an interceptor leaves in the context for the handler, such as who is calling.
///
///     enum CallerIdentityKey: RPCContextKey { typealias Value = CallerIdentity }
///     context[CallerIdentityKey.self] = identity
package protocol RPCContextKey {
    associatedtype Value: Sendable
}

internal import Application
internal import Contracts
internal import Foundation
internal import RPC
internal import Testing
internal import Time
internal import Tokens

@testable internal import Users

/// Somebody with an address that no other test has.
struct Person {
    let email = "ada-\(UUID().uuidString.lowercased())@example.org"
    let password = "correct horse battery staple"

    var registration: UsersV1.RegisterRequest {
        UsersV1.RegisterRequest(email: email, password: password, name: "Ada Lovelace")
    }

    var signIn: UsersV1.LogInRequest { UsersV1.LogInRequest(email: email, password: password) }
}

/// A call that nobody has to be signed in for.
var anonymous: RPCContext { RPCContext(method: UsersV1.UsersServiceMethods.logIn.descriptor) }

extension UsersStand {
    /// Opens an account; returns its tokens.
    func register(_ person: Person) async throws -> UsersV1.TokenPair {
        try #require(try await service.register(person.registration, context: anonymous).tokens)
    }

    /// Signs in once more; returns the new session's tokens.
    func signIn(_ person: Person) async throws -> UsersV1.TokenPair {
        try #require(try await service.logIn(person.signIn, context: anonymous).tokens)
    }

    func refresh(_ tokens: UsersV1.TokenPair) async throws -> UsersV1.TokenPair {
        let request = UsersV1.RefreshTokenRequest(refreshToken: tokens.refreshToken)
        return try #require(try await service.refreshToken(request, context: anonymous).tokens)
    }

    func claims(_ tokens: UsersV1.TokenPair) async throws -> AccessClaims {
        try await verifier.verify(tokens.accessToken)
    }

    /// The context of a call that carries this access token.
    func context(_ tokens: UsersV1.TokenPair) async throws -> RPCContext {
        var context = RPCContext(method: UsersV1.UsersServiceMethods.getProfile.descriptor)
        context[CallerIdentity.self] = CallerIdentity(try await claims(tokens))
        return context
    }

    /// The context of a call by somebody who has just registered.
    func newcomer() async throws -> RPCContext { try await context(register(Person())) }
}

/// The context of a call with a good token of this account, whether or not it is there.
func context(of user: UUID) -> RPCContext {
    var context = RPCContext(method: UsersV1.UsersServiceMethods.getProfile.descriptor)
    context[CallerIdentity.self] = CallerIdentity(
        AccessClaims(subject: user, role: .user, expiresAt: .now() + .seconds(60), sessionID: UUID()))
    return context
}

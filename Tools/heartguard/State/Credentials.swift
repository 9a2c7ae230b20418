internal import Foundation

/// credentials.json: every login of this cluster, for the tests and for a person who looks. Mode 0600.
struct Credentials: Codable, Equatable, Sendable {
    struct Account: Codable, Equatable, Sendable {
        var email: String
        var password: String
    }

    struct Role: Codable, Equatable, Sendable {
        var user: String
        var password: String
    }

    struct RedisPasswords: Codable, Equatable, Sendable {
        var durable: String
        var cache: String
    }

    var `operator`: Account
    /// superuser, owner, users, vitals, chat, vectors.
    var postgres: [String: Role]
    var redis: RedisPasswords
    /// The accounts that `heartguard load` registered, in the order of the sample data.
    var samples: [Account]
    /// The clinician of the story that `heartguard up` tells; nil before it was told.
    var clinician: Account?

    /// What the secrets say, with the accounts that the file has besides.
    static func current(in directory: StateDirectory) throws -> Credentials {
        let secrets = Secrets(directory: directory)
        var roles = [
            "superuser": try Role(user: "postgres", password: secrets["postgres-superuser"]),
            "owner": try Role(user: "heartguard_owner", password: secrets["postgres-owner"]),
        ]
        for service in ServiceName.owners {
            roles[service.rawValue] = try Role(
                user: "heartguard_\(service.rawValue)", password: secrets["postgres-\(service.rawValue)"])
        }
        let before = try directory.read(Credentials.self, from: directory.credentials)
        return try Credentials(
            operator: Account(email: Secrets.operatorEmail, password: secrets["operator"]),
            postgres: roles,
            redis: RedisPasswords(durable: secrets["redis-durable"], cache: secrets["redis-cache"]),
            samples: before?.samples ?? [], clinician: before?.clinician)
    }

    func save(in directory: StateDirectory) throws {
        try directory.write(self, to: directory.credentials, mode: 0o600)
    }
}

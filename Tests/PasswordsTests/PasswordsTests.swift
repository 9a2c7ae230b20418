import Passwords
import Testing

@Suite struct `A password` {
    /// Small enough that the tests stay quick; the default parameters have a test of their own.
    static let quick = Argon2Parameters(memoryKiB: 64, iterations: 1, parallelism: 1)
    let passwords = Passwords(parameters: quick)

    @Test func `is accepted by its own hash and by no other`() async throws {
        let hash = try await passwords.hash("correct horse battery staple")

        let right = try await passwords.verify("correct horse battery staple", against: hash)
        let wrong = try await passwords.verify("correct horse battery stable", against: hash)

        #expect(right)
        #expect(!wrong)
    }

    @Test func `has a different hash every time, because the salt is random`() async throws {
        let first = try await passwords.hash("hunter2")
        let second = try await passwords.hash("hunter2")

        #expect(first != second)
    }

    @Test func `is hashed with the OWASP parameters unless told otherwise`() async throws {
        let passwords = Passwords()

        let hash = try await passwords.hash("hunter2")

        #expect(hash.hasPrefix("$argon2id$v=19$m=19456,t=2,p=1$"))
        #expect(try await passwords.verify("hunter2", against: hash))
    }

    @Test func `verifies against a hash that the reference implementation published`() async throws {
        // phc-winner-argon2, src/test.c: version 0x13, t=2, m=2^16, p=1, "password", "somesalt".
        let published = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"

        #expect(try await passwords.verify("password", against: published))
        #expect(try await !passwords.verify("passworD", against: published))
    }

    @Test func `is the same whether its accents are typed as one character or as two`() async throws {
        let hash = try await passwords.hash("caf\u{E9}")

        #expect(try await passwords.verify("cafe\u{301}", against: hash))
    }

    @Test func `may hold any character, a NUL too`() async throws {
        let hash = try await passwords.hash("half\u{0}other half")

        #expect(try await passwords.verify("half\u{0}other half", against: hash))
        #expect(try await !passwords.verify("half", against: hash))
    }

    @Test func `of more than 1,024 bytes is refused, hashed or checked`() async throws {
        let long = String(repeating: "ä", count: 513)
        let hash = try await passwords.hash("short")

        await #expect { try await passwords.hash(long) } throws: { ($0 as? PasswordsError)?.code == .tooLong }
        await #expect { try await passwords.verify(long, against: hash) } throws: {
            ($0 as? PasswordsError)?.code == .tooLong
        }
        await #expect { try await passwords.verifyAgainstNothing(long) } throws: {
            ($0 as? PasswordsError)?.code == .tooLong
        }
    }

    @Test func `of an account that does not exist is never right`() async throws {
        #expect(try await !passwords.verifyAgainstNothing(""))
        #expect(try await !passwords.verifyAgainstNothing("hunter2"))
    }

    @Test func `is hashed again once the parameters have been raised`() async throws {
        let old = try await passwords.hash("hunter2")
        let raised = Passwords(parameters: Argon2Parameters(memoryKiB: 128, iterations: 1, parallelism: 1))

        #expect(!passwords.needsRehash(old))
        #expect(raised.needsRehash(old))
        #expect(try await raised.verify("hunter2", against: old))
    }

    @Test(arguments: [
        "", "hunter2", "$2b$12$abcdefghijklmnopqrstuv",
        "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$argon2id$v=16$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$argon2id$v=19$m=4294967295,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$argon2id$v=19$m=65536,t=4294967295,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$argon2id$v=19$m=65536,t=2,p=4294967295$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$argon2id$v=19$m=4,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$argon2id$v=19$m=65536,t=2,p=1$!!!!$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$QUJD", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ",
    ])
    func `is not checked against a stored text that is no usable hash`(stored: String) async throws {
        await #expect { try await passwords.verify("hunter2", against: stored) } throws: {
            ($0 as? PasswordsError)?.code == .malformedHash
        }
        #expect(passwords.needsRehash(stored))
    }
}

internal import FoundationEssentials
internal import Postgres
internal import RecordTestSupport
internal import Synchronization
internal import TestSupport
internal import Testing
internal import Time
internal import Tokens

@testable internal import Application
@testable internal import RPC
@testable internal import Users

/// A unary call without a connection.
private final class Call: HandledCall {
    private let request: [UInt8]
    private let response = Mutex<[UInt8]?>(nil)

    init(_ request: [UInt8]) { self.request = request }

    var requestIsCompressed: Bool { false }
    func unpackRequest() async throws(RPCError) {}
    func decodeSingleRequest<Request: Message>(as type: Request.Type) throws(RPCError) -> Request {
        do { return try Request(decoding: request) } catch { throw RPCError(caught: error) }
    }
    func requestStream<Request: Message>(of type: Request.Type) -> RequestStream<Request> { preconditionFailure("the call is unary") }
    func packsResponses(_ asked: Bool?) -> Bool { false }
    func setSingleResponse(_ message: some Message) throws(RPCError) {
        let bytes: [UInt8]
        do { bytes = try message.serialized() } catch { throw RPCError(caught: error) }
        response.withLock { $0 = bytes }
    }
    var singleResponse: [UInt8]? { response.withLock { $0 } }
    func packSingleResponse() async {}
    func write(_ message: some Message, compressed: Bool?) async throws(RPCError) {}
    func sendMetadata() async throws(RPCError) {}
}

/// Calls that each add a contact of somebody's, with nothing in them by which a second could be told from the first.
private struct Contacts: Sendable {
    let postgres: Postgres
    let interceptor: RepeatedCalls

    struct Refusal: Error {}

    struct Answer: Equatable {
        let bytes: [UInt8]
        let isReplayed: Bool
    }

    func add(
        for person: UUID, by actor: UUID? = nil, key: String?, request: String = "a", method: String = "Add", fails: Bool = false,
        meanwhile: @Sendable () async throws -> Void = {}
    ) async throws -> Answer {
        let descriptor = MethodDescriptor(
            service: "heartguard.tests.v1.TestsService", name: method, kind: .unary, policy: MethodPolicy(access: .user, timeout: .slow))
        var context = RPCContext(method: descriptor, metadata: key.map { [IdempotencyKey.field: $0] } ?? [:])
        let claims = AccessClaims(subject: actor ?? person, role: .user, expiresAt: .now() + .seconds(60), sessionID: UUID())
        context[CallerIdentity.self] = CallerIdentity(claims).acting(for: person)
        let call = Call(Array(request.utf8))
        let exchange = UnaryExchange(call: call) { try $0.decodeSingleRequest(as: RawMessage.self).serialized() }
        try await interceptor.intercept(context, exchange) { _ in
            let id = UUIDv7.make()
            try await postgres.execute(
                """
                INSERT INTO users.emergency_contacts (user_id, id, name, relationship, phone)
                VALUES (\(person), \(id), 'Eve', 'friend', '555 0100')
                """, identity: .user(person))
            try await meanwhile()
            if fails { throw Refusal() }
            try call.setSingleResponse(RawMessage(Array(id.uuidString.utf8)))
        }
        return Answer(bytes: call.singleResponse ?? [], isReplayed: context.responseMetadata.contents[IdempotencyKey.replayed] == "true")
    }

    func count(of person: UUID) async throws -> Int? {
        try await postgres.first(
            "SELECT count(*) FROM users.emergency_contacts WHERE user_id = \(person)", as: Scalar<Int>.self, identity: .user(person))?.value
    }
}

@Suite struct `A call with an idempotency-key` {
    private func withContacts(
        life: Duration = .seconds(3_600), patience: Duration = .seconds(30),
        _ body: (Contacts, _ people: [UUID]) async throws -> Void
    ) async throws {
        try await withUsers { users in
            var people: [UUID] = []
            for _ in 0..<2 { people.append(try await users.claims(users.register(Person())).subject) }
            var interceptor = RepeatedCalls(KeptAnswers(postgres: users.postgres, schema: "users", life: life, logger: quiet))
            interceptor.patience = patience
            try await body(Contacts(postgres: users.postgres, interceptor: interceptor), people)
        }
    }

    @Test func `takes effect once, and is answered with the same bytes each time`() async throws {
        try await withContacts { contacts, people in
            let first = try await contacts.add(for: people[0], key: "k")
            let second = try await contacts.add(for: people[0], key: "\"k\"")

            #expect(!first.isReplayed && second.isReplayed)
            #expect(first.bytes == second.bytes && !first.bytes.isEmpty)
            #expect(try await contacts.count(of: people[0]) == 1)
        }
    }

    @Test func `and another request is refused`() async throws {
        try await withContacts { contacts, people in
            _ = try await contacts.add(for: people[0], key: "k")

            await #expect(throws: IdempotencyError.idempotencyKeyReused) {
                try await contacts.add(for: people[0], key: "k", request: "b")
            }
            #expect(try await contacts.count(of: people[0]) == 1)
        }
    }

    @Test func `is another for somebody else, for whom it is made, and of another method`() async throws {
        try await withContacts { contacts, people in
            var answers: [Contacts.Answer] = []
            for person in people { answers.append(try await contacts.add(for: person, key: "k")) }
            answers.append(try await contacts.add(for: people[0], by: people[1], key: "k"))
            answers.append(try await contacts.add(for: people[0], key: "k", method: "AddMore"))

            #expect(answers.allSatisfy { !$0.isReplayed })

            #expect(try await contacts.count(of: people[0]) == 3)
            #expect(try await contacts.count(of: people[1]) == 1)
        }
    }

    @Test func `leaves nothing when it fails, and is made anew`() async throws {
        try await withContacts { contacts, people in
            await #expect(throws: Contacts.Refusal.self) { try await contacts.add(for: people[0], key: "k", fails: true) }
            #expect(try await contacts.count(of: people[0]) == 0)

            let second = try await contacts.add(for: people[0], key: "k", request: "b")
            #expect(!second.isReplayed)
            #expect(try await contacts.count(of: people[0]) == 1)
        }
    }

    @Test func `is made each time without one`() async throws {
        try await withContacts { contacts, people in
            for _ in 0..<2 {
                let answer = try await contacts.add(for: people[0], key: nil)
                #expect(!answer.isReplayed)
            }

            #expect(try await contacts.count(of: people[0]) == 2)
        }
    }

    @Test func `is made once by two hundred at a time`() async throws {
        try await withContacts { contacts, people in
            let person = people[0]
            let answers = try await withThrowingTaskGroup(of: Contacts.Answer.self) { group in
                for _ in 0..<200 { group.addTask { try await contacts.add(for: person, key: "k") } }
                return try await group.reduce(into: []) { $0.append($1) }
            }

            #expect(Set(answers.map(\.bytes)).count == 1)
            #expect(answers.count { !$0.isReplayed } == 1)
            #expect(try await contacts.count(of: person) == 1)
        }
    }

    @Test func `waits for the first no longer than it may, and is given its answer later`() async throws {
        try await withContacts(patience: .milliseconds(50)) { contacts, people in
            let person = people[0]
            let first = try await contacts.add(for: person, key: "k") {
                await #expect(throws: IdempotencyError.callIsRunning) {
                    try await CurrentTask.$unit.withValue(nil) { try await contacts.add(for: person, key: "k") }
                }
            }

            let second = try await contacts.add(for: person, key: "k")
            #expect(second == Contacts.Answer(bytes: first.bytes, isReplayed: true))
            #expect(try await contacts.count(of: person) == 1)
        }
    }

    @Test func `is forgotten when its time is over`() async throws {
        try await withContacts(life: .zero) { contacts, people in
            for _ in 0..<2 {
                let answer = try await contacts.add(for: people[0], key: "k")
                #expect(!answer.isReplayed)
            }
            #expect(try await contacts.count(of: people[0]) == 2)

            var answers = KeptAnswers(postgres: contacts.postgres, schema: "users", life: .zero, logger: quiet)
            answers.batch = 1
            #expect(try await answers.removeExpired() >= 1)
            let left = try await contacts.postgres.first(
                "SELECT count(*) FROM users.idempotency_keys WHERE user_id = \(people[0])", as: Scalar<Int>.self, identity: .user(people[0]))
            #expect(left?.value == 0)
        }
    }
}

import FoundationEssentials
import Testing
import Time
import Tokens

@testable import Application
@testable import Contracts
@testable import RPC

@Suite struct `An idempotency-key` {
    @Test(arguments: [
        ("8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324"),
        ("\"8e03978e\"", "8e03978e"), ("\"a\\\"b\\\\c\"", "a\"b\\c"), ("a\"b\\", "a\"b\\"), ("!~", "!~"),
        (String(repeating: "k", count: 255), String(repeating: "k", count: 255)),
    ])
    func `is a structured field's string, or a bare text`(value: String, key: String) {
        #expect(IdempotencyKey(value)?.text == key)
    }

    @Test(arguments: [
        "", " ", "a b", "\"\"", "\"", "\"a", "\"a b\"", "\"a\"b\"", "\"a\\\"", "\"a\\b\"", "\"a\";p=1", "é", "\u{7F}", "a, b",
        String(repeating: "k", count: 256),
    ])
    func `is nothing else`(value: String) {
        #expect(IdempotencyKey(value) == nil)
    }

    private func context(
        _ keys: [String], _ access: MethodPolicy.Access = .user, kind: CallKind = .unary, _ idempotency: MethodPolicy.Idempotency = .idempotent,
        holdsSecrets: Bool = false
    ) -> RPCContext {
        var metadata: Metadata = [:]
        for key in keys { metadata.add(IdempotencyKey.field, value: key) }
        let policy = MethodPolicy(access: access, idempotency: idempotency, holdsSecrets: holdsSecrets)
        return RPCContext(method: MethodDescriptor(service: "heartguard.tests.v1.TestsService", name: "Put", kind: kind, policy: policy), metadata: metadata)
    }

    @Test func `is taken by what a signed-in caller changes with one message`() throws {
        #expect(try IdempotencyKey.of(context(["k"]))?.text == "k")
        #expect(try IdempotencyKey.of(context(["k"], .operator_, .notIdempotent))?.text == "k")
        #expect(try IdempotencyKey.of(context([])) == nil)
    }

    @Test func `does nothing to what only reads, be it what it may`() throws {
        #expect(try IdempotencyKey.of(context(["k", "é"], .anyone, kind: .serverStreaming, .noSideEffects)) == nil)
    }

    @Test func `is refused where no answers are kept`() {
        let refused = [
            context(["k"], .anyone), context(["k"], .service), context(["k"], kind: .bidirectional), context(["k"], kind: .clientStreaming),
            context(["k"], holdsSecrets: true),
        ]
        for context in refused {
            let error = #expect(throws: IdempotencyError.self) { try IdempotencyKey.of(context) }
            #expect(error?.rpcError.code == .invalidArgument)
            #expect(error?.rpcError.message.hasPrefix("idempotency-key: Put takes none: ") == true)
        }
        for keys in [["k", "k"], ["a b"]] {
            #expect(throws: IdempotencyError.keyIsMalformed) { try IdempotencyKey.of(context(keys)) }
        }
    }

    @Test func `is kept with whose record is changed, who is not always who calls`() throws {
        let (patient, root) = (UUID(), UUID())
        let key = try #require(IdempotencyKey("k"))
        let caller = CallerIdentity(AccessClaims(subject: root, role: .operator_, expiresAt: .now() + .seconds(60), sessionID: UUID()))
        let completing = UsersV1.CompleteAppointmentRequest(userId: patient.uuidString, appointmentId: UUID().uuidString)
        let erasing = UsersV1.EraseUserRequest(userId: patient.uuidString)

        let completion = KeyedCall(
            key, of: caller, to: UsersV1.AppointmentsServiceMethods.completeAppointment.descriptor, asking: try completing.serialized())
        let erasure = KeyedCall(key, of: caller, to: UsersV1.UsersServiceMethods.eraseUser.descriptor, asking: try erasing.serialized())

        #expect(completion.person == patient)
        // What is answered of an account that is closed is for the operator.
        #expect(erasure.person == root)
    }

    @Test func `names its errors as callers are told in the documentation`() {
        #expect(IdempotencyKey.reused == "IDEMPOTENCY_KEY_REUSED")
        #expect(RPCError.answering(IdempotencyError.callIsRunning).code == .aborted)
        #expect(RPCError.answering(IdempotencyError.callIsRunning).retryAfterSeconds == 1)
    }

    /// What of the contract keeps answers, as of today: whoever marks a field as a secret, or makes a method public, changes this.
    @Test func `is taken by every method that changes something, but those with secrets, streams, and nobody's`() {
        let writes = ContractRegistry.methods.map(\.descriptor).filter { $0.policy.idempotency != .noSideEffects && $0.policy.access != .service }
        let refusing = writes.filter { $0.keepsNoAnswers != nil }.map(\.name)

        #expect(
            refusing.sorted() == [
                "AppendSamples", "ChangePassword", "EraseAccount", "ImportDocuments", "LogIn", "RefreshToken", "Register", "StreamMessage", "UploadImport",
            ])
        #expect(writes.count > 70)
    }

    @Test func `is taken by no method with a field whose name sounds like a secret's`() {
        let words = ["password", "secret", "access_token", "refresh_token"]
        let schema = ContractRegistry.schema
        for method in ContractRegistry.methods
        where method.descriptor.policy.idempotency != .noSideEffects && method.descriptor.keepsNoAnswers == nil {
            var open = [method.requestName, method.responseName].compactMap { schema.messages[$0] }
            var known: Set<String> = []
            while let message = open.popLast() {
                guard known.insert(message.fullName).inserted else { continue }
                for field in message.fields {
                    #expect(!words.contains { field.name.contains($0) }, "\(method.descriptor.name): \(message.fullName).\(field.name)")
                    if let inner = schema.message(of: field) { open.append(inner) }
                }
            }
        }
    }
}

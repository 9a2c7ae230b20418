internal import Audit
internal import Contracts
package import FoundationEssentials
internal import RPC
internal import Time
internal import Tokens

extension AuditEvent {
    /// A call that has not ended. It is about the caller's own records; or, of a method for services and operators, about those of whom the
    /// request names as `user_id`.
    ///
    /// Throws what reading the request throws.
    init(_ action: Action, of context: RPCContext) async throws(RPCError) {
        let caller = context[CallerIdentity.self]
        let method = context.method
        let fields = NamedFields.byPath[method.path]
        let named = if let fields, let request = try await context.requestBytes() { fields.read(request) } else { NamedFields.Values() }
        let program = context.peerIdentity?.clusterProgram
        let bits = context.trace.traceBits
        self.init(
            occurredAt: .now(), person: method.policy.access == .user ? caller?.userID : named.person, actor: caller?.actorID,
            actorKind: ActorKind(caller, method.policy.access), program: program, service: method.service, method: method.name, action: action,
            resource: named.resource, purpose: context.usualPurpose, status: nil,
            trace: UUID(high: bits.high, low: bits.low), request: context.requestName)
    }
}

extension AuditEvent.ActorKind {
    init(_ caller: CallerIdentity?, _ access: MethodPolicy.Access) {
        switch caller?.role {
        case .user: self = .user
        case .clinician: self = .clinician
        case .operator_: self = .operator_
        case nil: self = access == .service ? .service : .anyone
        }
    }
}

extension AuditEvent.Action {
    /// `nil` for methods of which nothing is to be put on record.
    init?(_ audit: MethodPolicy.AuditClass) {
        switch audit {
        case .none: return nil
        case .read: self = .read
        case .write: self = .write
        case .security: self = .security
        }
    }
}

/// Which fields of a method's request name whom and what it is about.
struct NamedFields: Sendable {
    struct Values {
        var person: UUID?
        var resource: UUID?
    }

    let person: Int?
    let resource: Int?

    /// Of every method whose request has one of them.
    static let byPath: [String: NamedFields] = {
        let methods = ContractRegistry.methods.filter { $0.descriptor.policy.audit != .none && $0.descriptor.kind.hasSingleRequest }
        return Dictionary(uniqueKeysWithValues: methods.compactMap { method in
            NamedFields(method).map { (method.descriptor.path, $0) }
        })
    }()

    /// By the names that the contracts give their fields: whose record it is stands in `user_id`, and what is asked for in the first other
    /// field that ends in `_id`. What a client makes up (`client_id`) and what names a model is neither.
    private init?(_ method: AnyContractMethod) {
        let texts = method.plainTexts
        let others = ["user_id", "client_id", "model_id"]
        person = method.descriptor.policy.access == .user ? nil : texts.first { $0.name == "user_id" }?.number
        resource = texts.first { $0.name.hasSuffix("_id") && !others.contains($0.name) }?.number
        if person == nil, resource == nil { return nil }
    }

    /// Only what is a UUID is taken, so nothing that somebody wrote.
    func read(_ request: [UInt8]) -> Values {
        var values = Values()
        for field in WireReader(request[...]) where field.wireType == 2 {
            if field.number == person { values.person = UUID(uuidString: field.text) }
            if field.number == resource { values.resource = UUID(uuidString: field.text) }
        }
        return values
    }
}

extension UUID {
    init(high: UInt64, low: UInt64) {
        func byte(_ bits: UInt64, _ shift: UInt64) -> UInt8 { UInt8(truncatingIfNeeded: bits >> shift) }
        self.init(uuid: (
            byte(high, 56), byte(high, 48), byte(high, 40), byte(high, 32), byte(high, 24), byte(high, 16), byte(high, 8), byte(high, 0),
            byte(low, 56), byte(low, 48), byte(low, 40), byte(low, 32), byte(low, 24), byte(low, 16), byte(low, 8), byte(low, 0)
        ))
    }

    /// The 32 digits without dashes, as traces are written.
    package var digits: String { text.filter { $0 != "-" } }
}

package import Audit
internal import RPC

extension PurposeOfUse {
    /// The metadata in which a caller says why.
    package static let field = "heartguard-purpose"
}

extension RPCContext {
    /// Why the caller asks. Who says nothing asks for themselves, or, of methods for operators and services, to run the system. Throws
    /// INVALID_ARGUMENT for what is no term that is known.
    func purposeOfUse() throws(RPCError) -> PurposeOfUse {
        guard let text = metadata[PurposeOfUse.field] else {
            return method.policy.access == .user ? .patientRequest : .operations
        }
        guard let purpose = PurposeOfUse(rawValue: text) else {
            let terms = PurposeOfUse.allCases.map(\.rawValue).joined(separator: ", ")
            throw RPCError(.invalidArgument, "\(PurposeOfUse.field) is none of \(terms).")
        }
        return purpose
    }
}

package import Audit
internal import RPC

extension PurposeOfUse {
    /// The metadata in which a caller says why.
    package static let field = "heartguard-purpose"
}

extension RPCContext {
    /// Why somebody asks who says nothing: for themselves, to treat the patient for whom they call, or to run the system.
    var usualPurpose: PurposeOfUse {
        guard method.policy.access == .user else { return .operations }
        return self[CallerIdentity.self]?.actsForPatient == true ? .treatment : .patientRequest
    }

    /// Why the caller asks. Throws INVALID_ARGUMENT for what is no term that is known.
    func purposeOfUse() throws(RPCError) -> PurposeOfUse {
        guard let text = metadata[PurposeOfUse.field] else { return usualPurpose }
        guard let purpose = PurposeOfUse(rawValue: text) else {
            let terms = PurposeOfUse.allCases.map(\.rawValue).joined(separator: ", ")
            throw RPCError(.invalidArgument, "\(PurposeOfUse.field) is none of \(terms).")
        }
        return purpose
    }
}

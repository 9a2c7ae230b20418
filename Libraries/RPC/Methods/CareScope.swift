/// What of a patient's record a clinician may be let into, by the names that the contract and the record of grants have.
package enum CareScope: String, Sendable, Hashable, CaseIterable {
    case vitalsRead = "vitals.read"
    case vitalsWrite = "vitals.write"
    case medicationsRead = "medications.read"
    case medicationsWrite = "medications.write"
    case profileRead = "profile.read"
    case appointmentsRead = "appointments.read"
    case appointmentsWrite = "appointments.write"
    case chatRead = "chat.read"

    /// What goes with it: who may write may read.
    package var implied: CareScope? {
        switch self {
        case .vitalsWrite: .vitalsRead
        case .medicationsWrite: .medicationsRead
        case .appointmentsWrite: .appointmentsRead
        case .vitalsRead, .medicationsRead, .profileRead, .appointmentsRead, .chatRead: nil
        }
    }
}

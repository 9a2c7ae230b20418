/// What became of a resource that was to be taken in; thrown where it cannot be. The numbers are those of
/// `heartguard.imports.v1.ImportOutcome`, which says what each means.
package enum ImportOutcome: Int32, Error, Hashable, Sendable, CaseIterable, Codable {
    case imported = 1
    case existing = 2
    case notKept = 10
    case malformed = 11
    case anotherSubject = 12
    case unresolved = 13
    case enteredInError = 14
    case notFinal = 15
    case noValue = 16
    case unsupportedValue = 17
    case unsupportedCode = 18
    case unsupportedUnit = 19
    case unsupportedTime = 20
    case differs = 21
    case tooLarge = 22
    case limitReached = 30

    /// Whether it could have been kept, and was not.
    package var isFailure: Bool { self == .limitReached }
}

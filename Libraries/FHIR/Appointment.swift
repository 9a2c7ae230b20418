package import FoundationEssentials
package import Time

/// A visit of a person to a provider (FHIR R4, Appointment).
package struct Appointment: Resource {
    package static let type = "Appointment"

    package enum Status: String, Hashable, Sendable {
        case proposed, booked, arrived, fulfilled, cancelled, noshow
        case checkedIn = "checked-in"
    }

    package let id: UUID
    package let patient: UUID
    /// If it is one that is known here.
    package let practitioner: UUID?
    /// What is to pay.
    package let coverage: UUID?
    package let version: Int64
    package let status: Status
    /// Of what kind it is.
    package let kind: String
    package let start: Instant
    package let end: Instant
    package let reason: String
    package let comment: String?
    package let cancellationReason: String?

    package init(
        id: UUID, patient: UUID, practitioner: UUID?, coverage: UUID?, version: Int64, status: Status, kind: String, start: Instant, end: Instant,
        reason: String, comment: String?, cancellationReason: String?
    ) {
        self.id = id
        self.patient = patient
        self.practitioner = practitioner
        self.coverage = coverage
        self.version = version
        self.status = status
        self.kind = kind
        self.start = start
        self.end = end
        self.reason = reason
        self.comment = comment
        self.cancellationReason = cancellationReason
    }

    package var members: KeyValuePairs<String, Element?> {
        let isOff = [.cancelled, .noshow].contains(status)
        return [
            "meta": .object(["versionId": .string("\(version)")]),
            "status": .string(status.rawValue),
            // A reason is only allowed for these (constraint app-4).
            "cancelationReason": isOff ? cancellationReason.map { .concept(text: $0) } : nil,
            "appointmentType": .concept(text: kind),
            "reasonCode": .list([.concept(text: reason)]),
            // An Appointment of R4 has no field for who pays.
            "supportingInformation": .one(.reference(coverage)),
            "start": .string(start.rfc3339),
            "end": .string(end.rfc3339),
            "comment": .text(comment),
            "participant": .list([patient, practitioner].compactMap(\.self).map { .object(["actor": .reference($0), "status": .string("accepted")]) }),
        ]
    }
}

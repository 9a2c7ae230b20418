package import FoundationEssentials
package import JSON
internal import Time

extension Appointment {
    /// Reads an Appointment, or an Encounter, that is over: one that took place, was called off, or was missed. One to come takes a provider's
    /// time, which only booking does.
    ///
    /// - Parameter references: what the patient is referred to by where the resource comes from.
    /// - Throws: why it cannot be kept.
    package init(
        reading resource: JSONValue, as id: UUID, of patient: UUID, calledThere references: Set<String> = []
    ) throws(ImportOutcome) {
        switch resource["resourceType"]?.text {
        case "Appointment": try self.init(appointment: resource, id, patient, references)
        case "Encounter": try self.init(encounter: resource, id, patient, references)
        default: throw .notKept
        }
    }

    private init(appointment: JSONValue, _ id: UUID, _ patient: UUID, _ references: Set<String>) throws(ImportOutcome) {
        let status: Status
        switch appointment["status"]?.text {
        case "fulfilled": status = .fulfilled
        case "cancelled": status = .cancelled
        case "noshow": status = .noshow
        case "entered-in-error": throw .enteredInError
        case "proposed", "pending", "booked", "arrived", "checked-in", "waitlist": throw .notFinal
        default: throw .malformed
        }
        guard let start = DateTime(reading: appointment["start"]?.text), let end = DateTime(reading: appointment["end"]?.text) else {
            throw .unsupportedTime
        }
        let kind = appointment["appointmentType"]
        let actors = (appointment["participant"]?.items ?? []).compactMap { $0["actor"] }
        self.init(
            id: id, patient: patient, practitioner: Self.practitioner(among: actors, besides: patient, references), coverage: nil,
            version: 1, status: status, kind: kind?["text"]?.text ?? Self.kinds[kind?.code(of: System.visitReason) ?? ""] ?? "consultation",
            start: start.instant, end: end.instant, reason: appointment.reason(or: appointment["description"]?.text ?? kind?.name),
            comment: appointment["comment"]?.text, cancellationReason: appointment["cancelationReason"]?.name)
    }

    private init(encounter: JSONValue, _ id: UUID, _ patient: UUID, _ references: Set<String>) throws(ImportOutcome) {
        let status: Status
        switch encounter["status"]?.text {
        case "finished": status = .fulfilled
        case "cancelled": status = .cancelled
        case "entered-in-error": throw .enteredInError
        case "planned", "arrived", "triaged", "in-progress", "onleave", "unknown": throw .notFinal
        default: throw .malformed
        }
        let period = encounter["period"]
        guard let start = DateTime(reading: period?["start"]?.text), let end = DateTime(reading: period?["end"]?.text) else {
            throw .unsupportedTime
        }
        let individuals = (encounter["participant"]?.items ?? []).compactMap { $0["individual"] }
        let seen = individuals.compactMap { $0["display"]?.text } + [encounter["serviceProvider"]?["display"]?.text].compactMap(\.self)
        self.init(
            id: id, patient: patient, practitioner: Self.practitioner(among: individuals, besides: patient, references), coverage: nil,
            version: 1, status: status, kind: encounter["class"]?["code"]?.text == "EMER" ? "emergency" : "consultation", start: start.instant,
            // Some systems tell visits without a length, and a visit here has one.
            end: end.instant == start.instant ? end.instant + .seconds(60) : end.instant,
            reason: encounter.reason(or: encounter["type"]?.items.first?.name), comment: seen.isEmpty ? nil : seen.joined(separator: ", "),
            cancellationReason: nil)
    }

    /// Whom a visit was to, of the references to all who took part: a practitioner, else one that does not say what it is, else whom a practitioner
    /// works for. Never the patient, whatever they are called there, nor who came along, nor a room.
    private static func practitioner(among actors: [JSONValue], besides patient: UUID, _ references: Set<String>) -> UUID? {
        let others = actors.filter { $0.referencedID != patient && !references.contains($0["reference"]?.text ?? "") }
        for types in practitionerTypes {
            if let id = others.filter({ types.contains($0.referencedType) }).compactMap(\.referencedID).first { return id }
        }
        return nil
    }

    private static let practitionerTypes: [[String?]] = [["Practitioner"], [nil], ["PractitionerRole", "Organization"]]

    /// The codes of HL7's table 0276 that say more than that it is a visit.
    private static let kinds = ["CHECKUP": "check_up", "EMERGENCY": "emergency", "FOLLOWUP": "follow_up"]
}

extension JSONValue {
    fileprivate func reason(or other: String?) -> String { self["reasonCode"]?.items.lazy.compactMap(\.name).first ?? other ?? "Visit" }
}

package import FoundationEssentials
package import JSON
internal import Time

extension MedicationStatement {
    /// Reads a MedicationStatement, or a MedicationRequest that was carried out or is in force: what the person takes by it.
    ///
    /// - Parameter medication: the Medication that it refers to, if that is outside of it.
    /// - Throws: why it cannot be kept.
    package init(reading resource: JSONValue, _ medication: JSONValue?, as id: UUID, of subject: UUID) throws(ImportOutcome) {
        let isActive = try Self.isActive(resource)
        guard let concept = resource["medicationCodeableConcept"] ?? medication?["code"] ?? resource.containedMedication?["code"] else {
            throw .unresolved
        }
        guard let name = concept.name else { throw .malformed }
        let period = resource["effectivePeriod"]
        let begin = period?["start"] ?? resource["effectiveDateTime"] ?? resource["authoredOn"] ?? resource["dateAsserted"]
        guard let startsOn = CivilDate(reading: begin?.text) else { throw .unsupportedTime }
        let end = period?["end"] ?? resource["dispenseRequest"]?["validityPeriod"]?["end"]
        let endsOn = CivilDate(readingEnd: end?.text)
        guard endsOn.map({ startsOn <= $0 }) ?? true else { throw .malformed }
        let dosages = (resource["dosage"] ?? resource["dosageInstruction"])?.items ?? []
        self.init(
            id: id, subject: subject, version: 1, isActive: isActive, name: name, rxNorm: concept.code(of: System.rxNorm), startsOn: startsOn,
            endsOn: endsOn, dosage: Self.dosage(dosages), instructions: dosages.first?["patientInstruction"]?.text,
            route: dosages.first?["route"]?.name, reason: resource["reasonCode"]?.items.first?.name,
            timing: dosages.count == 1 ? Timing(reading: dosages[0]) ?? .asNeeded : .asNeeded)
    }

    private static func isActive(_ resource: JSONValue) throws(ImportOutcome) -> Bool {
        if let intent = resource["intent"]?.text, ["proposal", "option"].contains(intent) { throw .notFinal }
        switch resource["status"]?.text {
        case "active": return true
        case "completed", "stopped", "on-hold": return false
        case "entered-in-error": throw .enteredInError
        case "draft", "cancelled", "intended", "not-taken", "unknown": throw .notFinal
        default: throw .malformed
        }
    }

    /// In words: what the resource says, or the dose, or that nothing is said.
    private static func dosage(_ dosages: [JSONValue]) -> String {
        let texts = dosages.compactMap { dosage -> String? in
            if let text = dosage["text"]?.text { return text }
            guard let dose = dosage["doseAndRate"]?.items.first?["doseQuantity"], let value = dose["value"]?.digits else { return nil }
            return [value, dose["unit"]?.text ?? dose["code"]?.text].compactMap(\.self).joined(separator: " ")
        }
        return texts.isEmpty ? "not stated" : texts.joined(separator: "; ")
    }
}

extension JSONValue {
    /// The Medication within the resource that it refers to.
    fileprivate var containedMedication: JSONValue? {
        guard let reference = self["medicationReference"]?["reference"]?.text, reference.hasPrefix("#") else { return nil }
        return self["contained"]?.items.first { $0["id"]?.text == String(reference.dropFirst()) && $0["resourceType"]?.text == "Medication" }
    }
}

extension MedicationStatement.Timing {
    /// `nil` where it is not said at which times of day, or how many hours apart. No times are made up: they would be taken for the person's own.
    fileprivate init?(reading dosage: JSONValue) {
        // What is taken as needed has a timing that says how often it may be taken, not when it is due.
        guard dosage["asNeededBoolean"] != .bool(true), dosage["asNeededCodeableConcept"] == nil else { return nil }
        guard let rule = dosage["timing"]?["repeat"] else { return nil }
        let times = (rule["timeOfDay"]?.items ?? []).compactMap { $0.text.map { String($0.prefix(5)) } }
        // FHIR's numbers are decimal, and a period may be a range: what is no whole number of hours or days is not said here.
        guard rule["periodMax"] == nil, let period = rule["period"] == nil ? 1 : rule["period"]?.whole else { return nil }
        let unit = rule["periodUnit"]?.text
        guard times.isEmpty else {
            let weekdays = (rule["dayOfWeek"]?.items ?? []).compactMap { $0.text.flatMap { Self.days.firstIndex(of: $0) }.map { $0 + 1 } }
            // Days of the week are those of every week: of every second one there is no plan here.
            let isWeekly = period == 1 && [nil, "d", "wk"].contains(unit) || period == 7 && unit == "d"
            guard times.count <= 24, (1...365).contains(period), weekdays.isEmpty ? unit == "d" : isWeekly else { return nil }
            self = .timesOfDay(times, everyDays: weekdays.isEmpty ? period : 1, weekdays: weekdays)
            return
        }
        guard rule["frequency"] == nil || rule["frequency"]?.whole == 1, unit == "h", (1...168).contains(period) else { return nil }
        self = .everyHours(period)
    }
}

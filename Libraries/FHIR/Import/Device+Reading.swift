package import FoundationEssentials
package import JSON

extension Device {
    /// Reads a Device that a service like this one has told: what a person measures themselves with.
    ///
    /// - Throws: `notKept` for any other, such as an implant.
    package init(reading resource: JSONValue, as id: UUID, of patient: UUID) throws(ImportOutcome) {
        guard let kind = resource["type"]?["text"]?.text, let serialNumber = resource["serialNumber"]?.text,
            let name = resource["deviceName"]?.items.first, name["type"]?.text == "user-friendly-name", let name = name["name"]?.text
        else { throw .notKept }
        self.init(
            id: id, patient: patient, isActive: resource["status"]?.text == "active", kind: kind, name: name, serialNumber: serialNumber)
    }
}

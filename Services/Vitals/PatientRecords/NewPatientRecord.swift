internal import Application
internal import FoundationEssentials
internal import Postgres

/// A record as a caller gives it.
struct NewPatientRecord: Sendable {
    let record: PatientRecord
    /// Whether the caller said when it was recorded.
    let saysWhen: Bool

    /// Whether a record is what a call like this made, or makes. JSON is compared by what it says: the database writes it in its own way.
    func saysTheSame(as known: PatientRecord) throws -> Bool {
        var same = over(known)
        guard try JSONNode(kept: same.content) == JSONNode(kept: known.content) else { return false }
        same.content = known.content
        return same == known
    }

    /// The known one with what this says of it.
    func over(_ known: PatientRecord) -> PatientRecord {
        var record = record
        record.version = known.version
        if !saysWhen { record.recordedAt = known.recordedAt }
        return record
    }
}

extension JSONNode {
    fileprivate init(kept json: JSONB) throws { self = try JSONDecoder().decode(JSONNode.self, from: Data(json.text.utf8)) }
}

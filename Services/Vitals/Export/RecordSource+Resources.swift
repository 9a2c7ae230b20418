internal import Application
internal import FHIR
internal import FoundationEssentials
internal import Postgres

extension [RecordSource] {
    /// What Vitals tells as resources of FHIR.
    static func resources(of postgres: Postgres) -> [RecordSource] {
        [
            .resources("devices", type: FHIR.Device.type, by: DeviceRepository.maxDevices + 1) { user, last, _ in
                // A person has one page of them.
                guard last == nil else { return [] }
                return try await postgres.rows(Statement<Device>.list(of: UserID(user)), identity: .user(user)).map { device in
                    (device.id.uuid, FHIR.Device(device, of: user).entry)
                }
            },
            .resources("observations", type: FHIR.Observation.type) { user, last, limit in
                try await postgres.rows(.observations(of: UserID(user), behind: last, limit: limit), identity: .user(user)).map { observation in
                    (observation.id.uuid, FHIR.Observation(observation, of: user).entry)
                }
            },
            .samples(of: postgres),
            .resources("medications", type: FHIR.MedicationStatement.type, by: 100) { user, last, limit in
                try await postgres.rows(.medicationsInOrder(of: UserID(user), behind: last, limit: limit), identity: .user(user)).map { medication in
                    (medication.id, try FHIR.MedicationStatement(medication, of: user).entry)
                }
            },
        ]
    }
}

extension Statement<Observation> {
    /// All readings, in the order of their ids, behind the one with the id `last`.
    static func observations(of user: UserID, behind last: UUID?, limit: Int) -> Self {
        let rest: Query = if let last { "AND id > \(last)" } else { "" }
        return .reading(
            "SELECT \(Observation.columns) FROM vitals.vitals WHERE user_id = \(user.uuid) \(rest) ORDER BY id LIMIT \(limit)", tier: .normal)
    }
}

extension Statement<Medication> {
    /// All medications, in the order of their ids, behind the one with the id `last`.
    static func medicationsInOrder(of user: UserID, behind last: UUID?, limit: Int) -> Self {
        let rest: Query = if let last { "AND id > \(last)" } else { "" }
        return .reading(
            "SELECT \(Medication.columns) FROM vitals.medications WHERE user_id = \(user.uuid) \(rest) ORDER BY id LIMIT \(limit)", tier: .normal)
    }
}

internal import Application
internal import FHIR
internal import FoundationEssentials
internal import Postgres

extension [RecordSource] {
    /// What Users tells as resources of FHIR.
    static func resources(of postgres: Postgres) -> [RecordSource] {
        [
            .resources("patient", type: FHIR.Patient.type, by: 2) { user, last, _ in
                guard last == nil else { return [] }
                let contacts = try await postgres.rows(
                    Statement<EmergencyContact>.list(of: user, after: nil, limit: Int(RecordLimit.contacts), in: "users.emergency_contacts"),
                    identity: .user(user))
                let account = try await postgres.first(Statement<User>.find(UserID(user)), identity: .user(user))
                return account.map { [($0.id.uuid, FHIR.Patient($0, contacts: contacts).entry)] } ?? []
            },
            .resources("practitioners", type: FHIR.Practitioner.type, by: 100) { user, last, limit in
                try await postgres.rows(.providersSeen(by: UserID(user), behind: last, limit: limit), identity: .user(user)).map { provider in
                    (provider.id, FHIR.Practitioner(provider).entry)
                }
            },
            .resources("insurances", type: FHIR.Coverage.type, by: Int(RecordLimit.insurances) + 1) { user, last, _ in
                // A person has one page of them.
                guard last == nil else { return [] }
                return try await postgres.rows(
                    Statement<InsuranceInfo>.ownRecords(of: UserID(user), in: InsuranceInfo.table, limit: RecordLimit.insurances), identity: .user(user)
                ).map { insurance in (insurance.id, FHIR.Coverage(insurance, of: user).entry) }
            },
            .resources("appointments", type: FHIR.Appointment.type, by: 100) { user, last, limit in
                try await postgres.rows(.appointmentsInOrder(of: UserID(user), behind: last, limit: limit), identity: .user(user)).map { visit in
                    (visit.id, FHIR.Appointment(visit, of: user).entry)
                }
            },
        ]
    }
}

extension Statement<Provider> {
    /// Those with whom the person has or had an appointment, in the order of their ids, behind the one with the id `last`.
    static func providersSeen(by user: UserID, behind last: UUID?, limit: Int) -> Self {
        let rest: Query = if let last { "AND id > \(last)" } else { "" }
        return .reading(
            """
            SELECT \(Provider.columns) FROM users.providers
            WHERE id IN (SELECT provider_id FROM users.appointments WHERE user_id = \(user.uuid)) \(rest) ORDER BY id LIMIT \(limit)
            """)
    }
}

extension Statement<Appointment> {
    /// All appointments, in the order of their ids, behind the one with the id `last`.
    static func appointmentsInOrder(of user: UserID, behind last: UUID?, limit: Int) -> Self {
        let rest: Query = if let last { "AND id > \(last)" } else { "" }
        return .reading(
            "SELECT \(Appointment.columns) FROM users.appointments WHERE user_id = \(user.uuid) \(rest) ORDER BY id LIMIT \(limit)", tier: .normal)
    }
}

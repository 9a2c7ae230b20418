internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

/// What people take, when it was and is due, and what became of the doses. Every statement runs as the person whose it is.
struct MedicationStore: Sendable {
    let postgres: Postgres
    var zones = TimeZoneDatabase.system

    static let maxMedications = 500
    /// How many doses one answer may hold, and how many one count may look at.
    static let maxDosesListed = 5_000
    static let maxDosesCounted = 200_000

    /// Adds a medication, or finds it, if it is there and says the same.
    ///
    /// Throws `VitalsError.medicationIsAnother`, or `.tooManyMedications`.
    func add(_ medication: Medication, of user: UserID) async throws -> Medication {
        try await postgres.transaction(identity: .user(user.uuid)) { transaction in
            let (_, insertion, found) = try await transaction.batch(
                .lockQuota(of: user, in: MedicationRepository.table), .add(medication, of: user, atMost: Self.maxMedications),
                .lockMedication(medication.id, of: user))
            guard let known = try found.first() else { throw VitalsError.tooManyMedications }
            guard insertion.rowsAffected == 1 else {
                guard try known.saysTheSame(as: medication) else { throw VitalsError.medicationIsAnother }
                return known
            }
            if medication.isActive { try await hold(known, from: Period.always.start, of: user, in: transaction) }
            return known
        }
    }

    /// Puts a medication in the place of the one with its id and version. What was due before stays. A second call with the same finds it there.
    ///
    /// Throws `VitalsError.noSuchMedication` or `.medicationChanged`.
    func replace(_ medication: Medication, of user: UserID) async throws -> Medication {
        try await postgres.transaction(identity: .user(user.uuid)) { transaction in
            guard let known = try await transaction.first(.lockMedication(medication.id, of: user)) else { throw VitalsError.noSuchMedication }
            if known.version - 1 == medication.version, try known.saysTheSame(as: medication) { return known }
            guard known.version == medication.version else { throw VitalsError.medicationChanged(known.version) }
            try await transaction.execute(.replace(medication.keeping(known), of: user))
            if try !known.isDue(as: medication) {
                let now = Instant.now()
                try await transaction.execute(.endSchedule(of: medication.id, at: now, user))
                if medication.isActive { try await hold(medication, from: now, of: user, in: transaction) }
            }
            guard let replaced = try await transaction.first(.lockMedication(medication.id, of: user)) else { throw VitalsError.noSuchMedication }
            return replaced
        }
    }

    /// Nothing happens if there is none.
    func remove(_ medication: UUID, of user: UserID) async throws(PostgresError) {
        try await postgres.execute(.remove(medication, of: user.uuid, from: MedicationRepository.table), identity: .user(user.uuid))
    }

    /// The newest first, behind a place if there is one.
    func list(
        of user: UserID, activeOnly: Bool, behind place: (at: Instant, id: UUID)?, limit: Int
    ) async throws(PostgresError) -> [ListedMedication] {
        try await postgres.rows(.medications(of: user, activeOnly: activeOnly, behind: place, limit: limit), identity: .user(user.uuid))
    }

    /// The doses that are due within a period, in the order of their times; `nil` if they are too many.
    func dueDoses(of user: UserID, in period: Period) async throws -> [DueDose]? {
        let (held, recorded) = try await postgres.batch(
            .schedules(of: user, in: period), .doses(of: user, in: period), identity: .user(user.uuid))
        let known = Dictionary(try recorded.rows().map { (DoseKey($0), $0) }) { first, _ in first }
        var doses: [DueDose] = []
        for schedule in try held.rows() {
            for time in try schedule.doses(in: period, by: zones) {
                doses.append(
                    DueDose(
                        name: schedule.name, dosage: schedule.dosage, medication: schedule.medication, scheduledAt: time,
                        recorded: known[DoseKey(medication: schedule.medication, at: time)]))
            }
            guard doses.count <= Self.maxDosesListed else { return nil }
        }
        return doses.sorted { ($0.scheduledAt, $0.medication.uuidString) < ($1.scheduledAt, $1.medication.uuidString) }
    }

    /// Says what became of a dose, once.
    ///
    /// - Parameter saysWhen: whether the caller has said when it was taken. Who has not means the moment of the first call.
    ///
    /// Throws `VitalsError.noSuchMedication`; `.doseRecorded` if something else was recorded and is not to be replaced; and INVALID_ARGUMENT,
    /// by `notDue`, if no dose is due then.
    func record(
        _ dose: RecordedDose, of user: UserID, saysWhen: Bool, replacing: Bool, notDue: @Sendable () -> any Error
    ) async throws -> (Medication, RecordedDose) {
        try await postgres.transaction(identity: .user(user.uuid)) { transaction in
            // The medication is held, so that its schedule does not change meanwhile.
            guard let medication = try await transaction.first(.lockMedication(dose.medication, of: user)) else { throw VitalsError.noSuchMedication }
            if let time = dose.scheduledAt {
                let moment = try Period(start: time, end: time + .microseconds(1))
                let held = try await transaction.rows(.schedules(of: user, in: moment)).filter { $0.medication == dose.medication }
                guard try held.contains(where: { try !$0.doses(in: moment, by: zones).isEmpty }) else { throw notDue() }
            }
            if let recorded = try await transaction.first(.record(dose, of: user)) { return (medication, recorded) }
            guard let known = try await transaction.first(.recorded(dose, of: user)) else { throw VitalsError.doseRecorded }
            var same = dose
            same.id = known.id
            if !saysWhen { same.at = known.at }
            if known == same { return (medication, known) }
            guard replacing, known.medication == dose.medication, let replaced = try await transaction.first(.replace(known.id, with: dose, of: user))
            else { throw VitalsError.doseRecorded }
            return (medication, replaced)
        }
    }

    /// How many doses were due within a period and what became of them, by medication; `nil` if they are too many.
    func adherence(of user: UserID, in period: Period) async throws -> [AdherenceCount]? {
        let (held, recorded) = try await postgres.batch(
            .schedules(of: user, in: period), .doses(of: user, in: period), identity: .user(user.uuid))
        let known = Dictionary(try recorded.rows().map { (DoseKey($0), $0.outcome) }) { first, _ in first }
        var counts: [UUID: AdherenceCount] = [:]
        var looked = 0
        for schedule in try held.rows() {
            for time in try schedule.doses(in: period, by: zones) {
                var count = counts[schedule.medication] ?? AdherenceCount(medication: schedule.medication, name: schedule.name)
                count.due += 1
                switch known[DoseKey(medication: schedule.medication, at: time)] {
                case .taken: count.taken += 1
                case .skipped: count.skipped += 1
                case nil: break
                }
                counts[schedule.medication] = count
                looked += 1
            }
            guard looked <= Self.maxDosesCounted else { return nil }
        }
        return counts.values.sorted { $0.medication < $1.medication }
    }

    private func hold(_ medication: Medication, from start: Instant, of user: UserID, in transaction: Transaction) async throws {
        try await transaction.execute(.hold(medication, from: start, of: user))
    }
}

/// A medication, and when it was added.
struct ListedMedication: Sendable, RowDecodable {
    let medication: Medication
    let addedAt: Instant

    init(row: Row) throws(PostgresError) {
        medication = try Medication(row: row)
        addedAt = try row.decode("created_at")
    }
}

private struct DoseKey: Hashable {
    let medication: UUID
    let at: Instant?

    init(medication: UUID, at: Instant) { (self.medication, self.at) = (medication, at) }
    init(_ dose: RecordedDose) { (medication, at) = (dose.medication, dose.scheduledAt) }
}

extension Medication {
    /// But for the version. A schedule is compared by what it says: the database writes JSON in its own way.
    func saysTheSame(as other: Medication) throws -> Bool {
        guard try MedicationSchedule(stored: schedule) == MedicationSchedule(stored: other.schedule) else { return false }
        var same = other.keeping(self)
        same.version = version
        same.schedule = schedule
        return self == same
    }

    /// With what of another no method of ours sets.
    fileprivate func keeping(_ other: Medication) -> Medication {
        var medication = self
        (medication.route, medication.prescriber, medication.pharmacy) = (other.route, other.prescriber, other.pharmacy)
        (medication.refillsRemaining, medication.sideEffects) = (other.refillsRemaining, other.sideEffects)
        return medication
    }

    /// Whether the same doses are due.
    fileprivate func isDue(as other: Medication) throws -> Bool {
        try isActive == other.isActive && startsOn == other.startsOn && endsOn == other.endsOn
            && MedicationSchedule(stored: schedule) == MedicationSchedule(stored: other.schedule)
    }
}

extension Statement<Void> {
    /// Changes nothing if there is one with its id, or the person has `limit`.
    static func add(_ medication: Medication, of user: UserID, atMost limit: Int) -> Self {
        .writing(
            """
            INSERT INTO vitals.medications (
                user_id, id, name, rxnorm_code, dosage, form, schedule, instructions, reason, starts_on, ends_on, is_active, reminders_enabled)
            SELECT \(user.uuid), \(medication.id), \(medication.name), \(medication.rxnormCode), \(medication.dosage), \(medication.form),
                   \(medication.schedule), \(medication.instructions), \(medication.reason), \(medication.startsOn), \(medication.endsOn),
                   \(medication.isActive), \(medication.remindersEnabled)
            WHERE (SELECT count(*) FROM vitals.medications WHERE user_id = \(user.uuid)) < \(limit)
            ON CONFLICT (user_id, id) DO NOTHING
            """)
    }

    /// The schedule holds from then on, or from where those before it end: the clock of who changed it last may have been ahead.
    static func hold(_ medication: Medication, from start: Instant, of user: UserID) -> Self {
        .writing(
            """
            INSERT INTO vitals.medication_schedules (user_id, medication_id, version, schedule, starts_on, ends_on, holds_from)
            SELECT \(user.uuid), \(medication.id), coalesce(max(s.version), 0) + 1, \(medication.schedule), \(medication.startsOn),
                   \(medication.endsOn), greatest(\(start), max(s.holds_until))
            FROM vitals.medication_schedules s WHERE s.user_id = \(user.uuid) AND s.medication_id = \(medication.id)
            """)
    }

    static func endSchedule(of medication: UUID, at end: Instant, _ user: UserID) -> Self {
        .writing(
            """
            UPDATE vitals.medication_schedules SET holds_until = greatest(\(end), holds_from)
            WHERE user_id = \(user.uuid) AND medication_id = \(medication) AND holds_until IS NULL
            """)
    }
}

extension Statement<Medication> {
    static func lockMedication(_ id: UUID, of user: UserID) -> Self {
        .writing("SELECT \(Medication.columns) FROM vitals.medications WHERE user_id = \(user.uuid) AND id = \(id) FOR UPDATE")
    }
}

extension Statement<ListedMedication> {
    static func medications(of user: UserID, activeOnly: Bool, behind place: (at: Instant, id: UUID)?, limit: Int) -> Self {
        let rest: Query = if let place { "AND (created_at, id) < (\(place.at), \(place.id))" } else { "" }
        return .reading(
            """
            SELECT \(Medication.columns), created_at FROM vitals.medications
            WHERE user_id = \(user.uuid) AND (is_active OR NOT \(activeOnly)) \(rest) ORDER BY created_at DESC, id DESC LIMIT \(limit)
            """)
    }
}

extension Statement<HeldSchedule> {
    /// Those that held at some time of a period.
    static func schedules(of user: UserID, in period: Period) -> Self {
        .reading(
            """
            SELECT s.medication_id, m.name, m.dosage, s.schedule, s.starts_on, s.ends_on, s.holds_from, s.holds_until
            FROM vitals.medication_schedules s JOIN vitals.medications m ON m.user_id = s.user_id AND m.id = s.medication_id
            WHERE s.user_id = \(user.uuid) AND s.holds_from < \(period.end) AND (s.holds_until IS NULL OR s.holds_until > \(period.start))
            ORDER BY s.medication_id, s.version
            """)
    }
}

extension Statement<RecordedDose> {
    static func doses(of user: UserID, in period: Period) -> Self {
        .reading(
            """
            SELECT \(RecordedDose.columns) FROM vitals.medication_doses
            WHERE user_id = \(user.uuid) AND scheduled_at >= \(period.start) AND scheduled_at < \(period.end)
            """)
    }

    /// No row if the dose was recorded before.
    static func record(_ dose: RecordedDose, of user: UserID) -> Self {
        .writing(
            """
            INSERT INTO vitals.medication_doses (user_id, id, medication_id, scheduled_at, outcome, recorded_for, note)
            VALUES (\(user.uuid), \(dose.id), \(dose.medication), \(dose.scheduledAt), \(dose.outcome), \(dose.at), \(dose.note))
            ON CONFLICT DO NOTHING RETURNING \(RecordedDose.columns)
            """)
    }

    /// What was recorded of the dose: by when it was due, or by its id.
    static func recorded(_ dose: RecordedDose, of user: UserID) -> Self {
        .reading(
            """
            SELECT \(RecordedDose.columns) FROM vitals.medication_doses
            WHERE user_id = \(user.uuid) AND CASE WHEN \(dose.scheduledAt)::timestamptz IS NULL THEN id = \(dose.id)
                  ELSE medication_id = \(dose.medication) AND scheduled_at = \(dose.scheduledAt) END
            """)
    }

    static func replace(_ id: UUID, with dose: RecordedDose, of user: UserID) -> Self {
        .writing(
            """
            UPDATE vitals.medication_doses SET outcome = \(dose.outcome), recorded_for = \(dose.at), note = \(dose.note)
            WHERE user_id = \(user.uuid) AND id = \(id) RETURNING \(RecordedDose.columns)
            """)
    }
}

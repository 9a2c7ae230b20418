internal import Application
internal import FHIR
internal import FoundationEssentials
internal import Postgres
internal import Time

/// Keeps what an import has for Vitals, a part at a time, each in one transaction together with what became of it.
struct RecordImport: Sendable {
    private let postgres: Postgres
    private let judge: AlertJudge

    init(postgres: Postgres) {
        self.postgres = postgres
        judge = AlertJudge(postgres: postgres)
    }

    /// What became of each record of a part. The same part again is answered as before, and changes nothing.
    ///
    /// Throws `VitalsError.importWentOn` if a later part of the import came before.
    func keep(_ part: ImportPart) async throws -> [ImportOutcome] {
        try await postgres.transaction(identity: .user(part.user.uuid), tier: .normal) { transaction in
            // The row is the person's lock of imports until the commit.
            let (first, found) = try await transaction.batch(.beginImportPart(part), .lockImportPart(of: part.user))
            guard let known = try found.first() else { throw PostgresError(.decoding, "The part of an import was not returned.") }
            if first.rowsAffected == 0, known.importID == part.importID {
                guard known.place <= part.place else { throw VitalsError.importWentOn }
                if known.place == part.place { return known.outcomes }
            }
            let outcomes = try await keep(part.records, of: part.user, in: transaction)
            try await transaction.execute(.endImportPart(part, outcomes))
            return outcomes
        }
    }

    private func keep(
        _ records: [Result<ImportedRecord, ImportOutcome>], of user: UserID, in transaction: Transaction
    ) async throws -> [ImportOutcome] {
        var outcomes: [ImportOutcome?] = []
        var readings: [(position: Int, reading: ImportedObservation)] = []
        for (position, record) in records.enumerated() {
            switch record {
            case .failure(let outcome): outcomes.append(outcome)
            case .success(.device(let device, let id, let isActive)):
                outcomes.append(try await keep(device, as: id, isActive: isActive, of: user, in: transaction))
            case .success(.medication(let medication)): outcomes.append(try await keep(medication, of: user, in: transaction))
            case .success(.observation(let reading)):
                // Behind the devices that made them, and all in one statement.
                outcomes.append(nil)
                readings.append((position, reading))
            }
        }
        let kept = try await keep(readings.map(\.reading), of: user, in: transaction)
        for (reading, outcome) in zip(readings, kept) { outcomes[reading.position] = outcome }
        return outcomes.map { $0 ?? .malformed }
    }

    private func keep(
        _ device: NewDevice, as id: DeviceID, isActive: Bool, of user: UserID, in transaction: Transaction
    ) async throws -> ImportOutcome {
        let (insertion, found) = try await transaction.batch(
            .importDevice(device, as: id, isActive: isActive, of: user, atMost: DeviceRepository.maxDevices),
            .find(withSerialNumber: device.serialNumber, of: user))
        if insertion.rowsAffected == 1 { return .imported }
        guard let known = try found.first() else {
            let isIDTaken = try await transaction.first(.hasDevice(id, of: user)) != nil
            return isIDTaken ? .differs : .limitReached
        }
        return known.kind == device.kind ? .existing : .differs
    }

    private func keep(_ medication: Medication, of user: UserID, in transaction: Transaction) async throws -> ImportOutcome {
        let (found, count) = try await transaction.batch(.lockMedication(medication.id, of: user), .countMedications(of: user))
        if let known = try found.first() { return try known.saysTheSame(as: medication) ? .existing : .differs }
        guard try count.first()?.value ?? 0 < MedicationStore.maxMedications else { return .limitReached }
        try await transaction.execute(.insert(medication, of: user))
        // What was due before it was known here was not missed.
        if medication.isActive { try await transaction.execute(.hold(medication, from: .now(), of: user)) }
        return .imported
    }

    /// Judged by the person's rules as readings that are recorded are.
    private func keep(_ readings: [ImportedObservation], of user: UserID, in transaction: Transaction) async throws -> [ImportOutcome] {
        guard !readings.isEmpty else { return [] }
        let columns = try ObservationColumns(readings.map(\.new), ids: readings.map(\.id.uuid))
        let times = readings.map(\.new.effectiveAt)
        let (first, last) = (times.min() ?? .now(), times.max() ?? .now())
        let codes = Array(Set(readings.map(\.new.code)))
        let (_, insertion, rules) = try await transaction.batch(
            .advanceTimeline(of: user, by: readings.count), .importReadings(columns, readings, of: user),
            .rules(judging: codes, from: first, through: last, of: user))
        let changes = try insertion.rows()
        try await judge.judge(changes, by: try rules.rows(), of: user, in: transaction)

        var added = Set(changes.map(\.place.id))
        let isAdded = readings.map { added.remove($0.id) != nil }
        guard isAdded.contains(false) else { return readings.map { _ in .imported } }
        let known = Dictionary(try await transaction.rows(.keptReadings(columns, of: user)).map { ($0.position, $0.observation) }) { first, _ in first }
        return zip(readings, isAdded).enumerated().map { position, reading in
            let (reading, isAdded) = reading
            return isAdded ? .imported : known[Int64(position)].map { $0.says(reading.new) ? .existing : .differs } ?? .differs
        }
    }
}

extension Observation {
    fileprivate func says(_ other: NewObservation) -> Bool {
        code == other.code && measurement == other.measurement && effectiveAt == other.effectiveAt && utcOffset == other.utcOffset
            && status != .enteredInError
    }
}

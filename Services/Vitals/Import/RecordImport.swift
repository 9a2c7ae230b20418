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
            let goesOn = first.rowsAffected == 0 && known.importID == part.importID
            if goesOn {
                guard known.place <= part.place else { throw VitalsError.importWentOn }
                if known.place == part.place { return known.outcomes }
            }
            var work = PartImport(user: part.user, transaction: transaction, devices: goesOn ? known.devices : [:])
            let outcomes = try await work.keep(part.records)
            try await judge.judge(work.changes, of: part.user, in: transaction)
            try await transaction.execute(try .endImportPart(part, outcomes, devices: work.devices))
            return outcomes
        }
    }
}

/// A part at work in the transaction that keeps it.
private struct PartImport {
    let user: UserID
    let transaction: Transaction
    /// What devices are here that the import tells of under other ids, by those.
    var devices: [String: UUID]
    /// What the person's rules have to judge.
    var changes: [ReadingChange] = []
    /// Readings that follow each other, and are kept in one statement.
    var readings: [(position: Int, reading: ImportedObservation)] = []
    var outcomes: [ImportOutcome] = []

    mutating func keep(_ records: [Result<ImportedRecord, ImportOutcome>]) async throws -> [ImportOutcome] {
        outcomes = records.map { _ in .malformed }
        for (position, record) in records.enumerated() {
            switch record {
            case .failure(let outcome): outcomes[position] = outcome
            case .success(.device(let device, let id, let isActive)): outcomes[position] = try await keep(device, as: id, isActive: isActive)
            case .success(.medication(let medication)): outcomes[position] = try await keep(medication)
            case .success(.observation), .success(.samples), .success(.retraction): break
            }
        }
        // Behind the devices that made them.
        for (position, record) in records.enumerated() {
            switch record {
            case .success(.observation(var reading)):
                reading.new.device = known(reading.new.device)
                readings.append((position, reading))
            case .success(.samples(let samples)): outcomes[position] = try await keep(samples)
            case .success(.retraction(let retraction)):
                // What it retracts stands before it in the file.
                try await keepReadings()
                outcomes[position] = try await keep(retraction)
            default: break
            }
        }
        try await keepReadings()
        return outcomes
    }

    /// What is registered with the serial number of a device under another id is that device.
    private mutating func keep(_ device: NewDevice, as id: DeviceID, isActive: Bool) async throws -> ImportOutcome {
        let (_, insertion, found, named) = try await transaction.batch(
            .lockQuota(of: user, in: DeviceRepository.table),
            .importDevice(device, as: id, isActive: isActive, of: user, atMost: DeviceRepository.maxDevices),
            .find(withSerialNumber: device.serialNumber, of: user), .hasDevice(id, of: user))
        if insertion.rowsAffected == 1 { return .imported }
        let isIDTaken = try named.first() != nil
        guard let known = try found.first() else { return isIDTaken ? .differs : .limitReached }
        guard known.kind == device.kind, known.id == id || !isIDTaken else { return .differs }
        if known.id == id { return .existing }
        guard devices[id.text] != nil || devices.count < DeviceRepository.maxDevices else { return .limitReached }
        devices[id.text] = known.id.uuid
        return .existing
    }

    private func known(_ device: DeviceID?) -> DeviceID? {
        device.map { told in devices[told.text].map { DeviceID($0) } ?? told }
    }

    private func keep(_ medication: Medication) async throws -> ImportOutcome {
        let (_, found, count) = try await transaction.batch(
            .lockQuota(of: user, in: MedicationRepository.table), .lockMedication(medication.id, of: user), .countMedications(of: user))
        if let known = try found.first() { return try known.saysTheSame(as: medication) ? .existing : .differs }
        guard try count.first()?.value ?? 0 < MedicationStore.maxMedications else { return .limitReached }
        try await transaction.execute(.insert(medication, of: user))
        // What was due before it was known here was not missed.
        if medication.isActive { try await transaction.execute(.hold(medication, from: .now(), of: user)) }
        return .imported
    }

    private mutating func keepReadings() async throws {
        guard !readings.isEmpty else { return }
        let run = readings.map(\.reading)
        let columns = try ObservationColumns(run.map(\.new), ids: run.map(\.id.uuid))
        let (_, insertion) = try await transaction.batch(
            .advanceTimeline(of: user, by: run.count), .importReadings(columns, run, of: user))
        let new = try insertion.rows()
        changes += new

        var added = Set(new.map(\.place.id))
        let isAdded = run.map { added.remove($0.id) != nil }
        var same: Set<Int64> = []
        if isAdded.contains(false) {
            let kept = try await transaction.rows(.keptReadings(run.map(\.identity), of: user))
            same = Set(kept.filter { $0.observation.says(run[Int($0.position)].new) }.map(\.position))
        }
        for (place, each) in readings.enumerated() {
            outcomes[each.position] = isAdded[place] ? .imported : same.contains(Int64(place)) ? .existing : .differs
        }
        readings = []
    }

    /// All samples of a resource, or none: where one is there that says something else, all stay as they are. A device need not be active to have
    /// measured.
    private func keep(_ told: ImportedSamples) async throws -> ImportOutcome {
        guard let device = known(told.device) else { return .unresolved }
        let series = SeriesKey(user: user, device: device, metric: told.metric.name)
        guard try await transaction.first(.hasDevice(device, of: user)) != nil else { return .unresolved }
        let last = told.samples.map(\.sequence.value).max() ?? 0
        let (held, differing) = try await transaction.batch(
            .hold(series, told.metric, reaching: last, isActive: false), .countDiffering(told.samples, in: series))
        guard try held.first() != nil else { return .unsupportedUnit }
        guard try differing.first()?.value == 0 else { return .differs }
        guard let appended = try await transaction.first(.insert(told.samples, told.metric, in: series, isActive: false)) else { return .unresolved }
        return appended.newCount + appended.correctedCount > 0 ? .imported : .existing
    }

    /// Retracts a reading as its person does. What was changed here is no longer what the other system has told: it stays, for a retraction is for
    /// good, and whoever changed it can make one.
    private mutating func keep(_ retraction: ImportedRetraction) async throws -> ImportOutcome {
        var identity = retraction.identity
        identity.device = known(identity.device)
        // The timeline is the person's lock: nobody else writes their readings until the commit.
        let (_, found) = try await transaction.batch(.advanceTimeline(of: user, by: 1), .keptReadings([identity], of: user))
        guard let kept = try found.first() else { return .enteredInError }
        let reading = kept.observation
        guard reading.status != .enteredInError else { return .existing }
        guard !kept.wasChanged, retraction.isAbout(reading) else { return .differs }
        let retracted = try await transaction.change(
            reading, to: ObservationChange(retracting: reading, because: retraction.reason), of: user)
        changes.append(retracted.change)
        return .imported
    }
}

extension Observation {
    fileprivate func says(_ other: NewObservation) -> Bool {
        code == other.code && measurement == other.measurement && effectiveAt == other.effectiveAt && utcOffset == other.utcOffset
            && status != .enteredInError
    }
}

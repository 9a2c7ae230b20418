internal import Application
internal import FHIR
internal import FoundationEssentials
internal import Postgres
internal import Time

/// Keeps visits that another system has told of, in the transaction that says so.
struct VisitImport {
    let transaction: Transaction
    let user: UserID

    /// Whom visits are with that took place elsewhere; made by the schema.
    static let elsewhere = UUID(uuid: (0x01, 0x89, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0x01, 0))
    static let mostVisits: Int64 = 10_000

    /// What became of each.
    func keep(_ visits: [FHIR.Appointment], now: Instant = .now()) async throws -> [ImportOutcome] {
        guard !visits.isEmpty else { return [] }
        // Of two runs, or two files with the same visits, the second finds what the first has kept.
        try await transaction.execute(.lockHolds(of: user))
        let (providers, kept, count) = try await transaction.batch(
            .knownProviders(Array(Set(visits.compactMap(\.practitioner)))), .appointments(visits.map(\.id), of: user), .countAppointments(of: user))
        let known = Set(try providers.rows().map(\.value))
        var standing = Dictionary(try kept.rows().map { ($0.id, $0) }) { first, _ in first }
        var left = Self.mostVisits - (try count.first()?.value ?? 0)
        var outcomes: [ImportOutcome] = []
        for visit in visits {
            if let there = standing[visit.id] {
                outcomes.append(there.says(visit) ? .existing : .differs)
                continue
            }
            guard left > 0 else {
                outcomes.append(.limitReached)
                continue
            }
            do throws(ImportOutcome) {
                let provider = visit.practitioner.flatMap { known.contains($0) ? $0 : nil } ?? Self.elsewhere
                standing[visit.id] = try Appointment(visit, with: provider, now: now)
            } catch {
                outcomes.append(error)
                continue
            }
            if let new = standing[visit.id] { try await transaction.execute(.insert(new, of: user)) }
            left -= 1
            outcomes.append(.imported)
        }
        return outcomes
    }
}

extension Appointment {
    fileprivate func says(_ told: FHIR.Appointment) -> Bool {
        FHIR.Appointment.Status(status) == told.status && startsAt == told.start && endsAt == told.end
    }

    /// Throws why it cannot be kept.
    fileprivate init(_ told: FHIR.Appointment, with provider: UUID, now: Instant) throws(ImportOutcome) {
        let isOff = told.status == .cancelled
        guard told.start < told.end, told.end <= told.start + .seconds(12 * 3_600), told.end <= .lastOfAll,
            told.start >= Instant(microsecondsSinceEpoch: -2_208_988_800_000_000), isOff || told.start <= now + .seconds(300)
        else { throw .unsupportedTime }
        let reason = try Self.text(told.reason, most: 1_000) ?? "Visit"
        self.init(
            id: told.id, providerID: provider, appointmentType: AppointmentType(rawValue: told.kind) ?? .consultation,
            status: told.status == .noshow ? .noShow : isOff ? .cancelled : .completed, startsAt: told.start, endsAt: told.end, reason: reason,
            notes: try Self.text(told.comment, most: 4_000), confirmationCode: .makeConfirmationCode(),
            completedAt: told.status == .fulfilled ? told.end : nil, cancelledAt: isOff ? now : nil, cancelledBy: isOff ? .system : nil,
            cancellationReason: try Self.text(told.cancellationReason, most: 1_000), paidAmount: Numeric(0))
    }

    private static func text(_ text: String?, most: Int) throws(ImportOutcome) -> String? {
        guard let text, text.contains(where: { !$0.isWhitespace }) else { return nil }
        do throws(InvalidValue) { return try PlainText(text, characters: 1...most).text } catch { throw .tooLarge }
    }
}

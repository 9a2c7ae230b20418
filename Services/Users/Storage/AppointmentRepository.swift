internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

/// A visit to a provider, from the request to the feedback.
struct Appointment: Hashable, Sendable {
    enum AppointmentType: String, Hashable, Sendable, PostgresDecodable, PostgresEncodable {
        case consultation, followUp = "follow_up", checkUp = "check_up", procedure, test, emergency
    }

    enum Status: String, Hashable, Sendable, PostgresDecodable, PostgresEncodable {
        case requested, confirmed, checkedIn = "checked_in", inProgress = "in_progress",
            completed, cancelled, noShow = "no_show", rescheduled
        /// Of a hold that is over. Read and never written.
        case expired
    }

    enum Priority: String, Hashable, Sendable, PostgresDecodable, PostgresEncodable {
        case routine, urgent, emergency
    }

    enum CancelledBy: String, Hashable, Sendable, PostgresDecodable, PostgresEncodable {
        case user, provider, system
    }

    enum PaymentStatus: String, Hashable, Sendable, PostgresDecodable, PostgresEncodable {
        case unpaid, pending, paid, refunded, waived
    }

    var id: UUID
    var providerID: UUID
    var insuranceID: UUID?
    var appointmentType: AppointmentType
    var status: Status = .requested
    var priority: Priority = .routine
    var startsAt: Instant
    var endsAt: Instant
    var timeZone: String = "UTC"
    var isTelehealth: Bool = false
    var meetingURL: String?
    var location: String?
    var reason: String
    var symptoms: [String] = []
    var notes: String?
    var providerNotes: String?
    var diagnosis: String?
    var prescription: JSONB = JSONB("[]")
    var confirmationCode: String
    var clientID: String?
    /// Until when the time is held, while it is merely requested; `nil` for a request that stays.
    var holdExpiresAt: Instant?
    var reminderMinutes: Int32 = 1440
    var reminderSentAt: Instant?
    var confirmedAt: Instant?
    var checkedInAt: Instant?
    var startedAt: Instant?
    var completedAt: Instant?
    var cancelledAt: Instant?
    var cancelledBy: CancelledBy?
    var cancellationReason: String?
    var rescheduledFrom: UUID?
    var followUpRequired: Bool = false
    var followUpOn: CivilDate?
    var insuranceVerified: Bool = false
    var authorizationNumber: String?
    var estimatedCost: Numeric?
    var copayAmount: Numeric?
    var paidAmount: Numeric
    var currency: String = "USD"
    var paymentStatus: PaymentStatus = .unpaid
    var patientRating: Int16?
    var patientFeedback: String?
    var version: Int64 = 1
}

extension Appointment: TableRecord {
    /// A hold that is over has expired, whether somebody has cancelled it for the system already or not: nothing else that was cancelled has kept
    /// the moment at which its hold was over.
    static let effectiveStatus: Query =
        "CASE WHEN status IN ('requested', 'cancelled') AND hold_expires_at <= clock_timestamp() THEN 'expired' ELSE status END"

    /// The columns that the initialiser reads.
    static let columns: Query = """
        id, provider_id, insurance_id, appointment_type, \(effectiveStatus) AS status, priority, starts_at, ends_at, time_zone,
        is_telehealth, meeting_url, location, reason, symptoms, notes, provider_notes, diagnosis, prescription,
        confirmation_code, client_id, hold_expires_at, reminder_minutes, reminder_sent_at, confirmed_at, checked_in_at,
        started_at, completed_at, cancelled_at, cancelled_by, cancellation_reason, rescheduled_from,
        follow_up_required, follow_up_on, insurance_verified, authorization_number, estimated_cost,
        copay_amount, paid_amount, currency, payment_status, patient_rating, patient_feedback, version
        """

    init(row: Row) throws(PostgresError) {
        id = try row.decode("id")
        providerID = try row.decode("provider_id")
        insuranceID = try row.decode("insurance_id")
        appointmentType = try row.decode("appointment_type")
        status = try row.decode("status")
        priority = try row.decode("priority")
        startsAt = try row.decode("starts_at")
        endsAt = try row.decode("ends_at")
        timeZone = try row.decode("time_zone")
        isTelehealth = try row.decode("is_telehealth")
        meetingURL = try row.decode("meeting_url")
        location = try row.decode("location")
        reason = try row.decode("reason")
        symptoms = try row.decode("symptoms")
        notes = try row.decode("notes")
        providerNotes = try row.decode("provider_notes")
        diagnosis = try row.decode("diagnosis")
        prescription = try row.decode("prescription")
        confirmationCode = try row.decode("confirmation_code")
        clientID = try row.decode("client_id")
        holdExpiresAt = try row.decode("hold_expires_at")
        reminderMinutes = try row.decode("reminder_minutes")
        reminderSentAt = try row.decode("reminder_sent_at")
        confirmedAt = try row.decode("confirmed_at")
        checkedInAt = try row.decode("checked_in_at")
        startedAt = try row.decode("started_at")
        completedAt = try row.decode("completed_at")
        cancelledAt = try row.decode("cancelled_at")
        cancelledBy = try row.decode("cancelled_by")
        cancellationReason = try row.decode("cancellation_reason")
        rescheduledFrom = try row.decode("rescheduled_from")
        followUpRequired = try row.decode("follow_up_required")
        followUpOn = try row.decode("follow_up_on")
        insuranceVerified = try row.decode("insurance_verified")
        authorizationNumber = try row.decode("authorization_number")
        estimatedCost = try row.decode("estimated_cost")
        copayAmount = try row.decode("copay_amount")
        paidAmount = try row.decode("paid_amount")
        currency = try row.decode("currency")
        paymentStatus = try row.decode("payment_status")
        patientRating = try row.decode("patient_rating")
        patientFeedback = try row.decode("patient_feedback")
        version = try row.decode("version")
    }
}

/// The rows of `users.appointments`. Every statement runs as the person whose rows it touches.
struct AppointmentRepository: PersonalRecords {
    static let table: Query = "users.appointments"
    let postgres: Postgres

    /// Throws `.uniqueViolation` for an id that the person has already, and what the table's other rules refuse.
    func insert(_ record: Appointment, of user: UserID) async throws(PostgresError) {
        try await postgres.execute(.insert(record, of: user), identity: .user(user.uuid))
    }

    /// Puts the record in the place of the one with its id. `false` if there is none, or it has another version.
    func replace(_ record: Appointment, of user: UserID) async throws(PostgresError) -> Bool {
        try await postgres.execute(.replace(record, of: user), identity: .user(user.uuid)) == 1
    }
}

extension Statement<Void> {
    static func insert(_ record: Appointment, of user: UserID) -> Self {
        .writing(
            """
            INSERT INTO users.appointments (
                user_id, id, provider_id, insurance_id, appointment_type, status, priority, starts_at, ends_at,
                time_zone, is_telehealth, meeting_url, location, reason, symptoms, notes, provider_notes,
                diagnosis, prescription, confirmation_code, client_id, hold_expires_at, reminder_minutes, reminder_sent_at,
                confirmed_at, checked_in_at, started_at, completed_at, cancelled_at, cancelled_by,
                cancellation_reason, rescheduled_from, follow_up_required, follow_up_on, insurance_verified,
                authorization_number, estimated_cost, copay_amount, paid_amount, currency, payment_status,
                patient_rating, patient_feedback, version
            ) VALUES (
                \(user.uuid), \(record.id), \(record.providerID), \(record.insuranceID),
                \(record.appointmentType), \(record.status), \(record.priority), \(record.startsAt),
                \(record.endsAt), \(record.timeZone), \(record.isTelehealth), \(record.meetingURL),
                \(record.location), \(record.reason), \(record.symptoms), \(record.notes),
                \(record.providerNotes), \(record.diagnosis), \(record.prescription),
                \(record.confirmationCode), \(record.clientID), \(record.holdExpiresAt), \(record.reminderMinutes),
                \(record.reminderSentAt), \(record.confirmedAt), \(record.checkedInAt), \(record.startedAt),
                \(record.completedAt), \(record.cancelledAt), \(record.cancelledBy),
                \(record.cancellationReason), \(record.rescheduledFrom), \(record.followUpRequired),
                \(record.followUpOn), \(record.insuranceVerified), \(record.authorizationNumber),
                \(record.estimatedCost), \(record.copayAmount), \(record.paidAmount), \(record.currency),
                \(record.paymentStatus), \(record.patientRating), \(record.patientFeedback), \(record.version)
            )
            """)
    }

    static func replace(_ record: Appointment, of user: UserID) -> Self {
        .writing(
            """
            UPDATE users.appointments SET
                provider_id = \(record.providerID), insurance_id = \(record.insuranceID),
                appointment_type = \(record.appointmentType), status = \(record.status),
                priority = \(record.priority), starts_at = \(record.startsAt), ends_at = \(record.endsAt),
                time_zone = \(record.timeZone), is_telehealth = \(record.isTelehealth),
                meeting_url = \(record.meetingURL), location = \(record.location), reason = \(record.reason),
                symptoms = \(record.symptoms), notes = \(record.notes),
                provider_notes = \(record.providerNotes), diagnosis = \(record.diagnosis),
                prescription = \(record.prescription), confirmation_code = \(record.confirmationCode),
                client_id = \(record.clientID), hold_expires_at = \(record.holdExpiresAt), reminder_minutes = \(record.reminderMinutes),
                reminder_sent_at = \(record.reminderSentAt), confirmed_at = \(record.confirmedAt),
                checked_in_at = \(record.checkedInAt), started_at = \(record.startedAt),
                completed_at = \(record.completedAt), cancelled_at = \(record.cancelledAt),
                cancelled_by = \(record.cancelledBy), cancellation_reason = \(record.cancellationReason),
                rescheduled_from = \(record.rescheduledFrom), follow_up_required = \(record.followUpRequired),
                follow_up_on = \(record.followUpOn), insurance_verified = \(record.insuranceVerified),
                authorization_number = \(record.authorizationNumber), estimated_cost = \(record.estimatedCost),
                copay_amount = \(record.copayAmount), paid_amount = \(record.paidAmount),
                currency = \(record.currency), payment_status = \(record.paymentStatus),
                patient_rating = \(record.patientRating), patient_feedback = \(record.patientFeedback),
                version = version + 1
            WHERE user_id = \(user.uuid) AND id = \(record.id) AND version = \(record.version)
            """)
    }
}

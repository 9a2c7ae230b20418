internal import Application
internal import Contracts
internal import FoundationEssentials
internal import RPC
internal import Time

// Each initialiser reads a whole request and throws INVALID_ARGUMENT with a violation for every field that is wrong.

extension AppointmentWish {
    init(_ request: UsersV1.HoldAppointmentRequest) throws(RPCError) {
        var violations = FieldViolations()
        let clientID = violations.value("client_id", request.clientId, ClientID.init(_:))
        let provider = violations.value("provider_id", request.providerId, UUID.init(parsing:))
        let time = violations.time(request.startsAt, request.endsAt)
        let type = violations.value("type", request.type, Appointment.AppointmentType.init(_:))
        let reason = violations.value("reason", request.reason) { given throws(InvalidValue) in try PlainText(given, characters: 1...1_000) }
        let reminder = request.reminderMinutes.map { violations.value("reminder_minutes", $0, ReminderLead.init(minutes:)) } ?? .day
        let insurance = violations.optional("insurance_id", request.insuranceId, UUID.init(parsing:))
        let named = try violations.complete(clientID, provider, time)
        let rest = try violations.complete(type, reason, reminder)
        self.init(
            clientID: named.0, provider: named.1, time: named.2, type: rest.0, reason: rest.1.text, isTelehealth: request.telehealth,
            reminder: rest.2, insurance: insurance)
    }
}

extension UsersV1.ConfirmAppointmentRequest {
    func parsed() throws(RPCError) -> UUID { try UUID.ofAppointment(appointmentId) }
}

extension UsersV1.GetAppointmentRequest {
    func parsed() throws(RPCError) -> UUID { try UUID.ofAppointment(appointmentId) }
}

extension UsersV1.RescheduleAppointmentRequest {
    func parsed() throws(RPCError) -> (UUID, Range<Instant>) {
        var violations = FieldViolations()
        let id = violations.value("appointment_id", appointmentId, UUID.init(parsing:))
        let time = violations.time(startsAt, endsAt)
        violations.check(expectedVersion.map { $0 > 0 } ?? true, "expected_version", "A version is one or more.")
        return try violations.complete(id, time)
    }
}

extension UsersV1.CancelAppointmentRequest {
    /// The reason is `nil` if none is given.
    func parsed() throws(RPCError) -> (UUID, String?) {
        var violations = FieldViolations()
        let id = violations.value("appointment_id", appointmentId, UUID.init(parsing:))
        let text = violations.value("reason", reason) { given throws(InvalidValue) in try PlainText(given, characters: 0...1_000).text }
        let (appointment, reason) = try violations.complete(id, text)
        return (appointment, reason.isEmpty ? nil : reason)
    }
}

extension UserID {
    /// Whose appointment it is, and which.
    static func withAppointment(_ user: String, _ appointment: String) throws(RPCError) -> (UserID, UUID) {
        var violations = FieldViolations()
        let user = violations.value("user_id", user, UUID.init(parsing:))
        let id = violations.value("appointment_id", appointment, UUID.init(parsing:))
        let ids = try violations.complete(user, id)
        return (UserID(ids.0), ids.1)
    }
}

extension UUID {
    fileprivate static func ofAppointment(_ text: String) throws(RPCError) -> UUID {
        var violations = FieldViolations()
        let id = violations.value("appointment_id", text, UUID.init(parsing:))
        return try violations.complete(id)
    }
}

extension FieldViolations {
    /// A time that an appointment can have.
    fileprivate mutating func time(_ startsAt: GoogleProtobuf.Timestamp?, _ endsAt: GoogleProtobuf.Timestamp?) -> Range<Instant>? {
        let start = instant("starts_at", startsAt)
        let end = instant("ends_at", endsAt)
        guard let start, let end else { return nil }
        return value("ends_at", (start, end)) { ends throws(InvalidValue) in
            guard ends.0 < ends.1 else { throw InvalidValue("is not behind the beginning") }
            guard ends.1 - ends.0 <= .seconds(12 * 3_600) else { throw InvalidValue("is more than twelve hours behind the beginning") }
            return ends.0..<ends.1
        }
    }
}

/// What a caller asks of `ListAppointments`.
struct AppointmentList {
    let statuses: [Appointment.Status]
    let period: Range<Instant>
    let size: Int
    let place: (at: Instant, id: UUID)?

    init(_ request: UsersV1.ListAppointmentsRequest) throws(RPCError) {
        var violations = FieldViolations()
        violations.check(request.statuses.count <= 16, "statuses", "The field has more than 16 values.")
        var statuses: Set<Appointment.Status> = []
        for (index, status) in request.statuses.prefix(16).enumerated() {
            if let status = violations.value("statuses[\(index)]", status, Appointment.Status.init(_:)) { statuses.insert(status) }
        }
        let period = violations.period(request.startAt, request.endAt)
        let size = violations.pageSize(request.pageSize, usual: 20, most: 100)
        (self.period, self.size) = try violations.complete(period, size)
        self.statuses = statuses.sorted { $0.rawValue < $1.rawValue }
        place = try PageToken.place(request.pageToken, of: Self.query(self.statuses, self.period))
    }

    private static func query(_ statuses: [Appointment.Status], _ period: Range<Instant>) -> [String] {
        [
            "appointments", statuses.map(\.rawValue).joined(separator: " "), "\(period.lowerBound.microsecondsSinceEpoch)",
            "\(period.upperBound.microsecondsSinceEpoch)",
        ]
    }

    /// A page of what was read with one more than the page holds, which tells whether there is another page.
    func page(_ read: [Appointment]) -> UsersV1.ListAppointmentsResponse {
        let (page, next) = PageToken.page(read, of: size) { PageToken(of: Self.query(statuses, period), behind: $0.startsAt, $0.id) }
        return UsersV1.ListAppointmentsResponse(appointments: page.map { .init($0) }, nextPageToken: next)
    }
}

extension UsersV1.Appointment {
    init(_ appointment: Appointment) {
        self.init(
            id: appointment.id.text, providerId: appointment.providerID.text, type: .init(appointment.appointmentType),
            status: .init(appointment.status), startsAt: .init(appointment.startsAt), endsAt: .init(appointment.endsAt),
            timeZone: appointment.timeZone, telehealth: appointment.isTelehealth, reason: appointment.reason,
            confirmationCode: appointment.confirmationCode, reminderMinutes: appointment.reminderMinutes,
            holdExpiresAt: appointment.holdExpiresAt.map { .init($0) }, confirmedAt: appointment.confirmedAt.map { .init($0) },
            completedAt: appointment.completedAt.map { .init($0) }, cancelledAt: appointment.status == .cancelled ? appointment.cancelledAt.map { .init($0) } : nil,
            cancellationReason: appointment.cancellationReason, clientId: appointment.clientID ?? "", version: appointment.version,
            insuranceId: appointment.insuranceID?.text)
    }
}

extension Appointment.AppointmentType {
    init(_ type: UsersV1.AppointmentType) throws(InvalidValue) {
        switch type {
        case .consultation: self = .consultation
        case .followUp: self = .followUp
        case .checkUp: self = .checkUp
        case .procedure: self = .procedure
        case .test: self = .test
        case .emergency: self = .emergency
        case .unspecified: throw InvalidValue("is needed")
        default: throw InvalidValue("is none of the values that this version knows")
        }
    }
}

extension UsersV1.AppointmentType {
    init(_ type: Appointment.AppointmentType) {
        self = switch type {
        case .consultation: .consultation
        case .followUp: .followUp
        case .checkUp: .checkUp
        case .procedure: .procedure
        case .test: .test
        case .emergency: .emergency
        }
    }
}

extension Appointment.Status {
    init(_ status: UsersV1.AppointmentStatus) throws(InvalidValue) {
        switch status {
        case .held: self = .requested
        case .confirmed: self = .confirmed
        case .checkedIn: self = .checkedIn
        case .inProgress: self = .inProgress
        case .completed: self = .completed
        case .cancelled: self = .cancelled
        case .noShow: self = .noShow
        case .rescheduled: self = .rescheduled
        case .expired: self = .expired
        case .unspecified: throw InvalidValue("is needed")
        default: throw InvalidValue("is none of the values that this version knows")
        }
    }
}

extension UsersV1.AppointmentStatus {
    init(_ status: Appointment.Status) {
        self = switch status {
        case .requested: .held
        case .confirmed: .confirmed
        case .checkedIn: .checkedIn
        case .inProgress: .inProgress
        case .completed: .completed
        case .cancelled: .cancelled
        case .noShow: .noShow
        case .rescheduled: .rescheduled
        case .expired: .expired
        }
    }
}

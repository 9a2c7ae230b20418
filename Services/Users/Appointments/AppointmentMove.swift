/// What can be done to an appointment that is there.
enum AppointmentMove: String, CaseIterable, Sendable {
    case confirm, reschedule, cancel, complete, markNoShow
}

extension Appointment.Status {
    /// What an appointment becomes by a move; `nil` when it is that already by the same move, so that a call that is made again changes nothing.
    ///
    /// A time that is held or stands can be given back, and one that stands be moved, until it has begun. From then on it took place or nobody
    /// came. Nothing leads back from what is over.
    ///
    /// Throws `AppointmentError.illegalMove`, `.holdExpired`, `.hasBegun` or `.hasNotBegun`.
    func after(_ move: AppointmentMove, hasBegun: Bool) throws(AppointmentError) -> Appointment.Status? {
        switch (move, self) {
        case (.confirm, .confirmed), (.cancel, .cancelled), (.complete, .completed), (.markNoShow, .noShow): return nil
        case (.confirm, .requested): return try before(hasBegun, .confirmed)
        case (.confirm, .expired): throw .holdExpired
        case (.reschedule, .confirmed): return try before(hasBegun, .confirmed)
        case (.cancel, .requested), (.cancel, .confirmed): return try before(hasBegun, .cancelled)
        case (.complete, .confirmed), (.complete, .checkedIn), (.complete, .inProgress): return try behind(hasBegun, .completed)
        case (.markNoShow, .confirmed), (.markNoShow, .checkedIn): return try behind(hasBegun, .noShow)
        default: throw .illegalMove(move, self)
        }
    }

    private func before(_ hasBegun: Bool, _ next: Self) throws(AppointmentError) -> Self {
        guard !hasBegun else { throw .hasBegun }
        return next
    }

    private func behind(_ hasBegun: Bool, _ next: Self) throws(AppointmentError) -> Self {
        guard hasBegun else { throw .hasNotBegun }
        return next
    }
}

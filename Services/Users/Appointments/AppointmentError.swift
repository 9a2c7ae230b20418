internal import Application
internal import Contracts
internal import RPC

/// Everything that can go wrong with appointments beyond a malformed request and a store that is down.
enum AppointmentError: Error, Equatable {
    /// There is no such provider, or the provider can no longer be booked.
    case providerNotFound
    /// The person has no appointment with this id.
    case notFound
    /// Somebody has the time; if they merely hold it, for how long at most.
    case taken(next: [Slot], freeAfter: Duration?)
    /// The time is not in the provider's hours, or not of their slots.
    case outsideHours(next: [Slot])
    /// The time has begun.
    case inThePast(next: [Slot])
    /// The time is more than a year ahead.
    case tooFarAhead
    /// The provider sees nobody by video at this time.
    case noTelehealth
    /// The provider takes no insurance, and one was to pay.
    case noInsurance
    /// The person has no policy with this id.
    case insuranceNotFound
    /// The person holds as many times as one may.
    case tooManyHolds
    /// The client's id stands for another appointment.
    case idReused
    /// The hold was over before it was confirmed.
    case holdExpired
    /// It is too late for that.
    case hasBegun
    /// It is too early for that.
    case hasNotBegun
    /// An appointment that has come so far cannot be moved so.
    case illegalMove(AppointmentMove, Appointment.Status)
    /// The appointment changed since the caller read it.
    case changed
}

extension AppointmentError: RPCErrorConvertible {
    var rpcError: RPCError {
        switch self {
        case .providerNotFound: RPCError(.notFound, "There is no such provider, or they can no longer be booked.")
        case .notFound: RPCError(.notFound, "There is no such appointment.")
        case .taken(let next, let freeAfter?):
            RPCError(.alreadyExists, "Somebody else holds this time; it may be free again in a few minutes.")
                .adding(GoogleRPC.RetryInfo(retryDelay: .init(seconds: max(1, freeAfter.components.seconds + 1)))).adding(UsersV1.NextFreeSlots(next))
        case .taken(let next, nil): RPCError(.alreadyExists, "The provider is taken at this time.").adding(UsersV1.NextFreeSlots(next))
        case .outsideHours(let next):
            RPCError(.failedPrecondition, "The provider has no slot that begins and one that ends then.").adding(UsersV1.NextFreeSlots(next))
        case .inThePast(let next): RPCError(.failedPrecondition, "The time has begun already.").adding(UsersV1.NextFreeSlots(next))
        case .tooFarAhead: RPCError(.failedPrecondition, "Providers can be booked for a year ahead and no longer.")
        case .noTelehealth: RPCError(.failedPrecondition, "The provider sees nobody by video at this time.")
        case .noInsurance: RPCError(.failedPrecondition, "The provider takes no insurance; hold the time without one.")
        case .insuranceNotFound: RPCError(.notFound, "You have no insurance with this id.")
        case .tooManyHolds: .quota("user", "A person may hold \(Appointments.mostHolds) times at once; confirm or cancel one.")
        case .idReused: RPCError(.alreadyExists, "The client_id was used for another appointment.")
        case .holdExpired: RPCError(.failedPrecondition, "The time was held for too long without being confirmed; hold it again.")
        case .hasBegun: RPCError(.failedPrecondition, "The appointment has begun already.")
        case .hasNotBegun: RPCError(.failedPrecondition, "The appointment has not begun yet.")
        case .illegalMove(let move, let status):
            RPCError(.failedPrecondition, "The appointment \(status.words), so it cannot be \(move.participle).")
        case .changed: RPCError(.aborted, "The appointment changed since it was read; read it again.")
        }
    }
}

extension UsersV1.NextFreeSlots {
    init(_ slots: [Slot]) { self.init(slots: slots.map { .init($0) }) }
}

extension Appointment.Status {
    fileprivate var words: String {
        switch self {
        case .requested: "is merely held"
        case .confirmed: "is confirmed"
        case .checkedIn, .inProgress: "is under way"
        case .completed: "took place"
        case .cancelled: "was cancelled"
        case .noShow: "was missed"
        case .rescheduled: "was moved"
        case .expired: "was held and never confirmed"
        }
    }
}

extension AppointmentMove {
    fileprivate var participle: String {
        switch self {
        case .confirm: "confirmed"
        case .reschedule: "moved"
        case .cancel: "cancelled"
        case .complete: "completed"
        case .markNoShow: "marked as missed"
        }
    }
}

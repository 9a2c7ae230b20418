internal import Application
internal import Contracts
internal import RPC

/// Everything that can go wrong with calendars beyond a malformed request and a store that is down.
enum CalendarError: Error, Hashable {
    /// The person has no entry with this id.
    case notFound
    /// The entry follows an appointment.
    case followsAppointment
    /// The entry changed since the caller read it.
    case changed
    /// The client's id stands for another entry.
    case idReused
    /// The person has as many entries as one may.
    case tooManyEvents
    /// More entries fall in the time than are exported at once, or they say more than an answer takes.
    case tooManyToExport
}

extension CalendarError: RPCErrorConvertible {
    var rpcError: RPCError {
        switch self {
        case .notFound: RPCError(.notFound, "There is no such entry in your calendar.")
        case .followsAppointment:
            RPCError(.failedPrecondition, "The entry follows an appointment; move or cancel that, and the entry goes along.")
        case .changed: RPCError(.aborted, "The entry changed since it was read; read it again.")
        case .idReused: RPCError(.alreadyExists, "The client_id was used for another entry.")
        case .tooManyEvents: .quota("user", "A calendar may have \(PersonalCalendar.mostEvents) entries of one's own.")
        case .tooManyToExport:
            RPCError(
                .failedPrecondition, "More than \(PersonalCalendar.mostExported) entries, or 3 MiB, fall in this time; ask for a shorter one.")
        }
    }
}

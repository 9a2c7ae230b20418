internal import Application
internal import Contracts
internal import RPC

/// The methods of `heartguard.users.v1.AppointmentsService`: each parses its request, does one thing and answers.
struct AppointmentsService: Sendable {
    let appointments: Appointments
}

extension AppointmentsService: UsersV1.AppointmentsServiceProtocol {
    func holdAppointment(
        _ request: UsersV1.HoldAppointmentRequest, context: RPCContext
    ) async throws -> UsersV1.HoldAppointmentResponse {
        let caller = try context.caller()
        let held = try await appointments.hold(try AppointmentWish(request), of: UserID(caller.userID))
        return UsersV1.HoldAppointmentResponse(appointment: .init(held))
    }

    func confirmAppointment(
        _ request: UsersV1.ConfirmAppointmentRequest, context: RPCContext
    ) async throws -> UsersV1.ConfirmAppointmentResponse {
        let caller = try context.caller()
        let confirmed = try await appointments.move(try request.parsed(), of: UserID(caller.userID), by: .confirm)
        return UsersV1.ConfirmAppointmentResponse(appointment: .init(confirmed))
    }

    func rescheduleAppointment(
        _ request: UsersV1.RescheduleAppointmentRequest, context: RPCContext
    ) async throws -> UsersV1.RescheduleAppointmentResponse {
        let caller = try context.caller()
        let (id, time) = try request.parsed()
        let moved = try await appointments.reschedule(
            id, of: UserID(caller.userID), to: time, expectedVersion: request.expectedVersion)
        return UsersV1.RescheduleAppointmentResponse(appointment: .init(moved))
    }

    func cancelAppointment(
        _ request: UsersV1.CancelAppointmentRequest, context: RPCContext
    ) async throws -> UsersV1.CancelAppointmentResponse {
        let caller = try context.caller()
        let (id, reason) = try request.parsed()
        let cancelled = try await appointments.move(id, of: UserID(caller.userID), by: .cancel, reason: reason)
        return UsersV1.CancelAppointmentResponse(appointment: .init(cancelled))
    }

    func completeAppointment(
        _ request: UsersV1.CompleteAppointmentRequest, context: RPCContext
    ) async throws -> UsersV1.CompleteAppointmentResponse {
        let (user, id) = try UserID.withAppointment(request.userId, request.appointmentId)
        return UsersV1.CompleteAppointmentResponse(appointment: .init(try await appointments.move(id, of: user, by: .complete)))
    }

    func markNoShow(_ request: UsersV1.MarkNoShowRequest, context: RPCContext) async throws -> UsersV1.MarkNoShowResponse {
        let (user, id) = try UserID.withAppointment(request.userId, request.appointmentId)
        return UsersV1.MarkNoShowResponse(appointment: .init(try await appointments.move(id, of: user, by: .markNoShow)))
    }

    func getAppointment(
        _ request: UsersV1.GetAppointmentRequest, context: RPCContext
    ) async throws -> UsersV1.GetAppointmentResponse {
        let caller = try context.caller()
        guard let found = try await appointments.find(try request.parsed(), of: UserID(caller.userID)) else {
            throw AppointmentError.notFound
        }
        return UsersV1.GetAppointmentResponse(appointment: .init(found))
    }

    func listAppointments(
        _ request: UsersV1.ListAppointmentsRequest, context: RPCContext
    ) async throws -> UsersV1.ListAppointmentsResponse {
        let caller = try context.caller()
        let list = try AppointmentList(request)
        // One more than asked for tells whether there is a next page.
        let found = try await appointments.list(
            of: UserID(caller.userID), list.statuses, in: list.period, behind: list.place, limit: list.size + 1)
        return list.page(found)
    }
}

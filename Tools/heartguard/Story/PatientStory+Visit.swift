internal import Contracts
internal import RPC
internal import Time

extension PatientStory {
    /// A visit to a cardiologist that is still to come: the one that is booked, or at the next time that is free.
    func bookVisit() async throws {
        let appointments = UsersV1.AppointmentsServiceClient(patient.channel)
        let providers = UsersV1.ProvidersServiceClient(patient.channel)
        var visit = try await patient.patiently { options throws(RPCError) in
            try await appointments.listAppointments(
                .init(statuses: [.held, .confirmed], startAt: .init(Instant.now()), pageSize: 1), options: options)
        }.appointments.first
        if visit == nil { visit = try await hold(appointments, providers) }
        let id = visit?.id ?? ""
        visit = try await patient.patiently { options throws(RPCError) in
            try await appointments.confirmAppointment(.init(appointmentId: id), options: options)
        }.appointment
        guard let visit else { throw CommandFailure("the appointment that was confirmed could not be read.") }
        let provider = try await patient.patiently { options throws(RPCError) in
            try await providers.getProvider(.init(providerId: visit.providerId), options: options)
        }.provider
        progress.step("appointment", "\(provider?.name ?? "") on \(visit.startsAt?.shown ?? "") UTC, confirmed, reminder a day before")
    }

    private func hold(
        _ appointments: UsersV1.AppointmentsServiceClient, _ providers: UsersV1.ProvidersServiceClient
    ) async throws -> UsersV1.Appointment? {
        let provider = try await patient.patiently { options throws(RPCError) in
            try await providers.searchProviders(.init(specialty: .cardiology, pageSize: 1), options: options)
        }.providers.first
        guard let provider else { throw CommandFailure("there is no cardiologist to book; the migrations bring one.") }
        let tomorrow = Instant.now() + .seconds(86_400)
        let slot = try await patient.patiently { options throws(RPCError) in
            try await providers.listFreeSlots(
                .init(
                    providerId: provider.id, startAt: .init(tomorrow), endAt: .init(tomorrow + .seconds(30 * 86_400)), pageSize: 1),
                options: options)
        }.slots.first
        guard let slot else { throw CommandFailure("\(provider.name) has no free time within a month.") }
        return try await patient.patiently { options throws(RPCError) in
            try await appointments.holdAppointment(
                .init(
                    clientId: "sample-visit-\(slot.startsAt?.seconds ?? 0)", providerId: provider.id, startsAt: slot.startsAt,
                    endsAt: slot.endsAt, type: .checkUp, reason: "Palpitations", telehealth: slot.telehealth),
                options: options)
        }.appointment
    }
}

internal import FoundationEssentials
internal import Time

/// A time that somebody wants with a provider.
struct AppointmentWish: Hashable, Sendable {
    let clientID: ClientID
    let provider: UUID
    let time: Range<Instant>
    let type: Appointment.AppointmentType
    let reason: String
    let isTelehealth: Bool
    let reminder: ReminderLead
    /// The policy that is to pay.
    var insurance: UUID?

    /// Whether an appointment is what this wish led to. Its second version is the confirmed one; later ones may have been moved, and a policy that is
    /// taken out leaves the appointments that it was to pay.
    func ledTo(_ appointment: Appointment) -> Bool {
        appointment.providerID == provider && appointment.appointmentType == type && appointment.reason == reason
            && (appointment.insuranceID == insurance || appointment.insuranceID == nil)
            && (appointment.startsAt..<appointment.endsAt == time || appointment.version > 2)
    }
}

internal import Application
internal import Time

/// What a device is. The raw value is what the table holds.
enum DeviceKind: String, CaseIterable, Sendable {
    case watch
    case glucoseMonitor = "glucose_monitor"
    case bloodPressureMonitor = "blood_pressure_monitor"
    case pulseOximeter = "pulse_oximeter"
    case ecg, scale, phone, other
}

/// A device that somebody registers.
struct NewDevice: Hashable, Sendable {
    let kind: DeviceKind
    let platform: DeviceText
    let name: DeviceText
    /// The maker's; a person's device is registered once by it.
    let serialNumber: DeviceText
}

/// A device that belongs to a person.
struct Device: Equatable, Sendable {
    let id: DeviceID
    let kind: DeviceKind
    let platform: String
    let name: String
    let serialNumber: String
    let isActive: Bool
    let createdAt: Instant
}

/// A short text about a device.
struct DeviceText: Hashable, Sendable {
    let text: String

    static func platform(_ given: String) throws(InvalidValue) -> DeviceText { try DeviceText(given, maxCharacters: 64) }
    static func name(_ given: String) throws(InvalidValue) -> DeviceText { try DeviceText(given, maxCharacters: 200) }
    static func serialNumber(_ given: String) throws(InvalidValue) -> DeviceText {
        try DeviceText(given, maxCharacters: 128)
    }

    private init(_ given: String, maxCharacters: Int) throws(InvalidValue) {
        guard given.contains(where: { !$0.isWhitespace }) else { throw InvalidValue("is needed") }
        guard given.unicodeScalars.count <= maxCharacters else {
            throw InvalidValue("has more than \(maxCharacters) characters")
        }
        guard !given.hasControlCharacter else { throw InvalidValue("holds a control character") }
        text = given
    }
}

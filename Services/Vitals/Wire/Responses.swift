internal import Contracts

extension VitalsV1.Observation {
    init(_ observation: Observation) {
        self.init(
            id: observation.id.text,
            code: observation.code.text,
            effectiveAt: .init(observation.effectiveAt),
            utcOffsetMinutes: Int32(observation.utcOffset.minutes),
            source: observation.source.text,
            deviceId: observation.device?.text,
            sequence: observation.sequence.value,
            recordedAt: .init(observation.recordedAt),
            status: .init(observation.status),
            version: observation.version)
        switch observation.measurement {
        case .quantity(let quantity): self.quantity = .init(quantity)
        case .components(let components): self.components = components.map(VitalsV1.Component.init)
        }
    }
}

extension VitalsV1.ObservationStatus {
    init(_ status: ObservationStatus) {
        self = switch status {
        case .final: .final
        case .amended: .amended
        case .corrected: .corrected
        case .enteredInError: .enteredInError
        }
    }
}

extension VitalsV1.ObservationVersion {
    init(_ version: ObservationVersion) {
        self.init(
            observation: .init(version.observation), changedAt: .init(version.changedAt), reason: version.observation.reason)
    }
}

extension VitalsV1.Observation {
    /// With its values said in the first of these units that they can be said in, too.
    func converted(to units: [UCUMUnit]) -> VitalsV1.Observation {
        guard !units.isEmpty else { return self }
        var observation = self
        observation.converted = quantity?.converted(to: units, of: code)
        for (position, component) in components.enumerated() {
            observation.components[position].converted = component.quantity?.converted(to: units, of: component.code)
        }
        return observation
    }
}

extension VitalsV1.Quantity {
    fileprivate func converted(to units: [UCUMUnit], of code: String) -> VitalsV1.Quantity? {
        // What a reading says was checked when it was recorded.
        guard let number = try? DecimalNumber(value) else { return nil }
        for wish in units {
            guard let conversion = UnitConversion(from: UCUMUnit(stored: unit), to: wish, of: LOINCCode(stored: code)) else { continue }
            return VitalsV1.Quantity(value: conversion.convert(number).text, unit: wish.text)
        }
        return nil
    }
}

extension VitalsV1.Component {
    init(_ component: Component) {
        self.init(code: component.code.text, quantity: .init(component.quantity))
    }
}

extension VitalsV1.Quantity {
    init(_ quantity: Quantity) {
        self.init(value: quantity.value.text, unit: quantity.unit.text)
    }
}

extension VitalsV1.Device {
    init(_ device: Device) {
        self.init(
            id: device.id.text,
            kind: .init(device.kind),
            platform: device.platform,
            name: device.name,
            serialNumber: device.serialNumber,
            active: device.isActive,
            createdAt: .init(device.createdAt))
    }
}

extension VitalsV1.DeviceKind {
    init(_ kind: DeviceKind) {
        self = switch kind {
        case .watch: .watch
        case .glucoseMonitor: .glucoseMonitor
        case .bloodPressureMonitor: .bloodPressureMonitor
        case .pulseOximeter: .pulseOximeter
        case .ecg: .ecg
        case .scale: .scale
        case .phone: .phone
        case .other: .other
        }
    }
}

extension VitalsV1.Sample {
    init(_ sample: Sample) {
        self.init(at: .init(sample.at), sequence: sample.sequence.value, value: sample.value, revision: sample.revision)
    }
}

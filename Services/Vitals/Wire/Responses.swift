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
            recordedAt: .init(observation.recordedAt))
        switch observation.measurement {
        case .quantity(let quantity): self.quantity = .init(quantity)
        case .components(let components): self.components = components.map(VitalsV1.Component.init)
        }
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
        self.init(at: .init(sample.at), sequence: sample.sequence.value, value: sample.value)
    }
}

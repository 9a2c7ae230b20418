internal import Application
internal import Contracts
internal import RPC
internal import Time

// Each initialiser reads a whole request and throws INVALID_ARGUMENT with a violation for every field that is wrong.

extension NewDevice {
    init(_ request: VitalsV1.RegisterDeviceRequest) throws(RPCError) {
        var violations = FieldViolations()
        let kind = violations.value("kind", request.kind, DeviceKind.init(_:))
        let platform = violations.value("platform", request.platform, DeviceText.platform)
        let name = violations.value("name", request.name, DeviceText.name)
        let serialNumber = violations.value("serial_number", request.serialNumber, DeviceText.serialNumber)
        let values = try violations.complete(kind, platform, name, serialNumber)
        self.init(kind: values.0, platform: values.1, name: values.2, serialNumber: values.3)
    }
}

/// The codes that somebody asks the newest readings of; none stands for all.
struct LatestQuery {
    let codes: [LOINCCode]
    let units: [UCUMUnit]

    static let maxCodes = 100
    static let maxUnits = 20

    init(_ request: VitalsV1.GetLatestObservationsRequest) throws(RPCError) {
        var violations = FieldViolations()
        violations.check(request.codes.count <= Self.maxCodes, "codes", "There may be \(Self.maxCodes) of them.")
        try violations.throwIfAny()
        var codes: [LOINCCode] = []
        for (position, code) in request.codes.enumerated() {
            if let code = violations.value("codes[\(position)]", code, LOINCCode.init(_:)) { codes.append(code) }
        }
        violations.check(request.units.count <= Self.maxUnits, "units", "There may be \(Self.maxUnits) of them.")
        var units: [UCUMUnit] = []
        for (position, unit) in request.units.prefix(Self.maxUnits).enumerated() {
            if let unit = violations.value("units[\(position)]", unit, UCUMUnit.init(_:)) { units.append(unit) }
        }
        try violations.throwIfAny()
        self.codes = codes
        self.units = units
    }
}

/// A piece of a device's signal.
struct SampleBatch {
    let device: DeviceID
    let metric: MetricName
    let samples: [Sample]

    static let maxSamples = 10_000
    /// After so many faulty samples the rest is not looked at: the answer has to fit into metadata.
    fileprivate static let maxFaulty = 10

    init(_ request: VitalsV1.AppendSamplesRequest, now: Instant = .now()) throws(RPCError) {
        var violations = FieldViolations()
        let device = violations.value("device_id", request.deviceId, DeviceID.init(parsing:))
        let metric = violations.value("metric", request.metric, MetricName.init(_:))
        let samples = violations.samples(request.samples, now: now)
        (self.device, self.metric) = try violations.complete(device, metric)
        self.samples = samples
    }
}

extension FieldViolations {
    /// One to as many as a batch may have.
    mutating func samples(_ given: [VitalsV1.Sample], now: Instant) -> [Sample] {
        check((1...SampleBatch.maxSamples).contains(given.count), "samples", "There must be 1 to \(SampleBatch.maxSamples) of them.")
        var samples: [Sample] = []
        samples.reserveCapacity(min(given.count, SampleBatch.maxSamples))
        for (position, sample) in given.prefix(SampleBatch.maxSamples).enumerated() {
            if let sample = self.sample(sample, at: position, now: now) { samples.append(sample) }
            if position + 1 - samples.count == SampleBatch.maxFaulty { break }
        }
        return samples
    }

    mutating func sample(_ given: VitalsV1.Sample, at position: Int, now: Instant) -> Sample? {
        let at = value("samples[\(position)].at", given.at) { timestamp throws(InvalidValue) in
            try Instant(measuredAt: timestamp, now: now)
        }
        let sequence = value("samples[\(position)].sequence", given.sequence, SequenceNumber.init(_:))
        if !given.value.isFinite { add("samples[\(position)].value", "The field is not a finite number.") }
        if given.revision < 0 { add("samples[\(position)].revision", "The field must not be negative.") }
        guard let at, let sequence, given.value.isFinite, given.revision >= 0 else { return nil }
        return Sample(at: at, sequence: sequence, value: given.value, revision: given.revision)
    }
}

extension DeviceKind {
    init(_ kind: VitalsV1.DeviceKind) throws(InvalidValue) {
        switch kind {
        case .watch: self = .watch
        case .glucoseMonitor: self = .glucoseMonitor
        case .bloodPressureMonitor: self = .bloodPressureMonitor
        case .pulseOximeter: self = .pulseOximeter
        case .ecg: self = .ecg
        case .scale: self = .scale
        case .phone: self = .phone
        case .other: self = .other
        case .unspecified: throw InvalidValue("is needed")
        case .unrecognized: throw InvalidValue("is none of the values that this version knows")
        }
    }
}

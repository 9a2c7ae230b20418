internal import Crypto
internal import FHIR
internal import FoundationEssentials
internal import Time

/// Samples of a series that FHIR tells as one: of one revision, at equal distances in time and in number. What is between two runs is a gap, another
/// distance, or a correction.
struct SampleRun: Hashable, Sendable {
    let samples: ArraySlice<Sample>
    /// `nil` for a lone sample.
    let period: SamplePeriod?

    /// Samples in their order, all of them, as runs that are each as long as can be.
    static func cut(_ samples: [Sample]) -> [SampleRun] {
        var runs: [SampleRun] = []
        var rest = samples[...]
        while let first = rest.first {
            let run = SampleRun(longestOf: rest, from: first)
            runs.append(run)
            rest = rest.dropFirst(run.samples.count)
        }
        return runs
    }

    private init(longestOf rest: ArraySlice<Sample>, from first: Sample) {
        var periods = SamplePeriodRange()
        var (count, step, last) = (1, nil as Int64?, first)
        for next in rest.dropFirst() {
            let distance = next.sequence.value - last.sequence.value
            guard next.revision == first.revision, distance == step ?? distance,
                periods.narrow(to: next.at.microsecondsSinceEpoch - first.at.microsecondsSinceEpoch, behindFirst: count)
            else { break }
            (count, step, last) = (count + 1, distance, next)
        }
        samples = rest.prefix(count)
        period = count > 1 ? periods.roundest : nil
    }
}

extension FHIR.SampledObservation {
    /// Of a run that has samples.
    init?(_ run: SampleRun, of metric: SeriesMetric, _ device: DeviceID, _ user: UUID) {
        guard let first = run.samples.first, let last = run.samples.last else { return nil }
        let steps = Int64(max(run.samples.count - 1, 1))
        self.init(
            id: UUID(naming: "\(user.text) \(device.text) \(metric.name.text) \(first.at.microsecondsSinceEpoch) \(first.sequence.value)"),
            subject: user, device: device.uuid, metric: Metric(metric), revision: first.revision, start: first.at, period: run.period,
            first: first.sequence.value, step: (last.sequence.value - first.sequence.value) / steps,
            values: run.samples.map { $0.value.isFinite ? $0.value : nil })
    }
}

extension FHIR.SampledObservation.Metric {
    fileprivate init(_ metric: SeriesMetric) {
        if let code = metric.code, let unit = metric.unit {
            self = .coded(loinc: code.text, unit: unit.text)
        } else {
            self = .channel(metric.name.text)
        }
    }
}

extension UUID {
    /// Of names of runs; made once.
    private static let namespace: [UInt8] = [0x2E, 0x6B, 0x3F, 0x84, 0x0D, 0x1A, 0x4C, 0x57, 0xB2, 0x9E, 0x71, 0x48, 0x5C, 0x93, 0xE6, 0x0A]

    /// The same for the same name, in each export (RFC 9562 §5.5).
    fileprivate init(naming name: String) {
        var hash = Array(Insecure.SHA1.hash(data: Self.namespace + Array(name.utf8)).prefix(16))
        hash[6] = hash[6] & 0x0F | 0x50
        hash[8] = hash[8] & 0x3F | 0x80
        self.init(uuid: (
            hash[0], hash[1], hash[2], hash[3], hash[4], hash[5], hash[6], hash[7], hash[8], hash[9], hash[10], hash[11],
            hash[12], hash[13], hash[14], hash[15]
        ))
    }
}

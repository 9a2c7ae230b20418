package import FoundationEssentials
package import Time

/// Samples that a device made of one signal, at equal distances in time and in number (FHIR R4, Observation with SampledData). A lone sample has no
/// period, which SampledData needs, and is told as a quantity.
///
/// The numbers that the device gave the first and the last are identifiers, so whoever takes it in knows each sample by what the device calls it.
package struct SampledObservation: Resource {
    package static let type = "Observation"

    package enum Metric: Hashable, Sendable {
        case coded(loinc: String, unit: String)
        /// A signal without a code, and so without a unit.
        case channel(String)
    }

    package let id: UUID
    package let subject: UUID
    package let device: UUID
    package let metric: Metric
    /// How often they were corrected.
    package let revision: Int32
    package let start: Instant
    /// `nil` for a lone sample.
    package let period: SamplePeriod?
    /// The number of the first, and by how much that of each is greater than the one before.
    package let first: Int64
    package let step: Int64
    /// At least one; `nil` where none could be told.
    package let values: [Double?]

    package init(
        id: UUID, subject: UUID, device: UUID, metric: Metric, revision: Int32, start: Instant, period: SamplePeriod?, first: Int64, step: Int64,
        values: [Double?]
    ) {
        self.id = id
        self.subject = subject
        self.device = device
        self.metric = metric
        self.revision = revision
        self.start = start
        self.period = period
        self.first = first
        self.step = step
        self.values = values
    }

    package func instant(at index: Int) -> Instant { start + .microseconds(period?.microseconds(behindFirst: index) ?? 0) }

    package func number(at index: Int) -> Int64 { first + step * Int64(index) }

    package var members: KeyValuePairs<String, Element?> {
        let (isLone, last) = (period == nil, values.count - 1)
        let data = period.map { period in
            Element.object([
                "origin": quantity("0"), "period": .number(period.milliseconds), "dimensions": .number(1),
                "data": .string(values.map { $0?.decimal ?? "E" }.joined(separator: " ")),
            ])
        }
        let times = Element.object(["start": .string(start.rfc3339), "end": .string(instant(at: last).rfc3339)])
        return [
            "meta": .object(["versionId": .string("\(Int64(revision) + 1)")]),
            "identifier": .list([
                .object(["system": .string(System.firstSample), "value": .string("\(first)")]),
                .object(["system": .string(System.lastSample), "value": .string("\(number(at: last))")]),
            ]),
            "status": .string((revision == 0 ? Observation.Status.final : .corrected).rawValue),
            "code": code,
            "subject": .reference(subject),
            "effectiveDateTime": isLone ? .string(start.rfc3339) : nil,
            "effectivePeriod": isLone ? nil : times,
            "valueQuantity": isLone ? values[0].map { quantity($0.decimal) } : nil,
            "valueSampledData": data,
            "device": .reference(device),
        ]
    }

    private var code: Element {
        switch metric {
        case .coded(let loinc, _): .concept(system: System.loinc, code: loinc)
        case .channel(let name): .concept(system: System.channel, code: name)
        }
    }

    private func quantity(_ value: String) -> Element {
        switch metric {
        case .coded(_, let unit): Observation.Quantity(value: value, unit: unit).element
        case .channel: .object(["value": .number(value)])
        }
    }
}

extension Double {
    /// The shortest decimal that is read as this number, as JSON and FHIR write decimals.
    fileprivate var decimal: String {
        let text = description
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}

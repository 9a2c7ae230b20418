package import FoundationEssentials
package import JSON
internal import Time

extension SampledObservation {
    /// Of one resource.
    package static let mostValues = 10_000

    /// Whether an Observation has samples: SampledData, or a lone sample that a service like this one told.
    package static func isTold(by resource: JSONValue) -> Bool {
        resource["valueSampledData"] != nil || number(System.firstSample, in: resource) != nil
    }

    /// Reads an Observation that has samples of one device. Those of another system are numbered from 0.
    ///
    /// - Throws: why they cannot be kept. A sample that is an error (`E`) is none; one that is only known to be beyond a limit (`U`, `L`) is a bound and
    ///   no value, so the whole is not kept.
    package init(reading resource: JSONValue, as id: UUID, of subject: UUID) throws(ImportOutcome) {
        _ = try Observation.Status(reading: resource["status"])
        guard (resource["component"]?.items ?? []).isEmpty else { throw .unsupportedValue }
        let data = resource["valueSampledData"]
        let quantity = data == nil ? resource["valueQuantity"] : data?["origin"]
        let metric = try Metric(of: resource, in: quantity)
        let values: [Double?]
        var period: SamplePeriod?
        if let data {
            values = try Self.values(of: data)
            period = try Self.period(of: data)
        } else {
            values = [try Self.value(of: quantity)]
        }
        guard let start = resource.effective?.instant, period == nil || period?.microseconds(behindFirst: values.count - 1) != nil else {
            throw .unsupportedTime
        }
        guard let device = resource["device"]?.referencedID else { throw .unresolved }
        let numbers = try Self.numbers(of: values.count, in: resource)
        self.init(
            id: id, subject: subject, device: device, metric: metric, revision: Self.revision(of: resource), start: start, period: period,
            first: numbers.first, step: numbers.step, values: values)
    }

    private static func period(of data: JSONValue) throws(ImportOutcome) -> SamplePeriod {
        guard let digits = data["period"]?.digits, let period = SamplePeriod(milliseconds: digits) else { throw .malformed }
        return period
    }

    private static func values(of data: JSONValue) throws(ImportOutcome) -> [Double?] {
        guard let dimensions = data["dimensions"]?.whole else { throw .malformed }
        guard dimensions == 1 else { throw .unsupportedValue }
        let origin = try decimal(data["origin"]?["value"])
        let factor = try data["factor"] == nil ? 1 : decimal(data["factor"])
        guard let content = data["data"] else { throw .noValue }
        guard let text = content.text else { throw .malformed }
        var values: [Double?] = []
        for word in text.utf8.split(whereSeparator: { $0 == 0x20 || (0x09...0x0D).contains($0) }) {
            guard values.count < mostValues else { throw .tooLarge }
            switch String(decoding: word, as: UTF8.self) {
            case "E": values.append(nil)
            case "U", "L": throw .unsupportedValue
            case let digits:
                guard let number = Self.number(digits) else { throw .malformed }
                let value = origin + factor * number
                guard value.isFinite else { throw .malformed }
                values.append(value)
            }
        }
        guard values.contains(where: { $0 != nil }) else { throw .noValue }
        return values
    }

    /// Of a lone sample.
    private static func value(of quantity: JSONValue?) throws(ImportOutcome) -> Double {
        guard let value = quantity?["value"] else { throw .noValue }
        guard quantity?["comparator"] == nil else { throw .unsupportedValue }
        return try decimal(value)
    }

    private static func decimal(_ value: JSONValue?) throws(ImportOutcome) -> Double {
        guard let digits = value?.digits, let number = Self.number(digits) else { throw .malformed }
        return number
    }

    /// FHIR's `decimal`, which unlike Swift's has no words, no hexadecimal digits and no plus.
    private static func number(_ digits: String) -> Double? {
        let isDecimal = digits.utf8.allSatisfy { (0x30...0x39).contains($0) || "+-.eE".utf8.contains($0) }
        let begin = digits.utf8.first == UInt8(ascii: "-") ? digits.utf8.dropFirst().first : digits.utf8.first
        guard isDecimal, let begin, (0x30...0x39).contains(begin), let number = Double(digits), number.isFinite else { return nil }
        return number
    }

    /// What the device has numbered them with, if a service like this one told them.
    private static func numbers(of count: Int, in resource: JSONValue) throws(ImportOutcome) -> (first: Int64, step: Int64) {
        guard let first = number(System.firstSample, in: resource), let last = number(System.lastSample, in: resource) else { return (0, 1) }
        // A lone one is the last too.
        let steps = Int64(max(count - 1, 1))
        guard (last - first) % steps == 0, count > 1 || first == last else { throw .malformed }
        return (first, (last - first) / steps)
    }

    private static func number(_ system: String, in resource: JSONValue) -> Int64? {
        let identifier = (resource["identifier"]?.items ?? []).first { $0["system"]?.text == system }
        guard let number = Int64(identifier?["value"]?.text ?? ""), number >= 0 else { return nil }
        return number
    }

    private static func revision(of resource: JSONValue) -> Int32 {
        guard number(System.firstSample, in: resource) != nil, let version = Int32(resource["meta"]?["versionId"]?.text ?? ""), version > 0 else {
            return 0
        }
        return version - 1
    }
}

extension SampledObservation.Metric {
    fileprivate init(of resource: JSONValue, in quantity: JSONValue?) throws(ImportOutcome) {
        if let channel = resource["code"]?.code(of: System.channel) {
            self = .channel(channel)
            return
        }
        guard let loinc = resource["code"]?.code(of: System.loinc) else { throw .unsupportedCode }
        guard quantity?["system"]?.text == System.ucum, let unit = quantity?["code"]?.text else { throw .unsupportedUnit }
        self = .coded(loinc: loinc, unit: unit)
    }
}

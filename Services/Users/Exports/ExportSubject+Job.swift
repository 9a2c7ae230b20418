internal import Jobs
internal import Time

/// The job that writes an export.
extension ExportSubject {
    static func job(_ retries: RetryPolicy = RetryPolicy(maximumTries: 1_000)) -> Job<ExportSubject> {
        Job(
            "export_records", priority: .low, retries: retries, timeout: .seconds(3_600), resultLife: nil,
            uniqueKey: { $0.export.text })
    }

    func event() throws(JobError) -> OutboxEvent { try OutboxEvent(Self.job(), self, about: export) }
}

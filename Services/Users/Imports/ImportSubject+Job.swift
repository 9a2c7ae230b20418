internal import Jobs
internal import Time

/// The job that takes an import in.
extension ImportSubject {
    static func job(_ retries: RetryPolicy = RetryPolicy(maximumTries: 1_000)) -> Job<ImportSubject> {
        Job(
            "import_records", priority: .low, retries: retries, timeout: .seconds(3_600), resultLife: nil,
            uniqueKey: { $0.import.text })
    }

    func event() throws(JobError) -> OutboxEvent { try OutboxEvent(Self.job(), self, about: self.import) }
}

/// What is done for a kind of job.
package struct JobHandler: Sendable {
    let name: String
    let retries: RetryPolicy
    let timeout: Duration
    let resultLife: Duration?
    let rate: JobRate?
    let perform: @Sendable (JobBody, JobRun) async throws -> JobValue

    /// Work whose result is kept for whoever asks.
    ///
    /// The work may be begun more than once: its worker may be killed, or be taken for dead. What must happen once is done in `JobRun.commit`.
    package init<Payload, Value: Encodable & Sendable>(
        _ job: Job<Payload>, returning perform: @escaping @Sendable (Payload, JobRun) async throws -> Value
    ) {
        self.init(job, value: { payload, run in try JobValue(try await perform(payload, run)) })
    }

    /// Work that has no result.
    package init<Payload>(_ job: Job<Payload>, _ perform: @escaping @Sendable (Payload, JobRun) async throws -> Void) {
        self.init(job, value: { payload, run in
            try await perform(payload, run)
            return .null
        })
    }

    private init<Payload>(_ job: Job<Payload>, value perform: @escaping @Sendable (Payload, JobRun) async throws -> JobValue) {
        name = job.name
        retries = job.retries
        timeout = job.timeout
        resultLife = job.resultLife
        rate = job.rate
        self.perform = { body, run in
            let payload: Payload
            do { payload = try body.payload(as: Payload.self) } catch is DecodingError {
                // Another run would read the same.
                throw JobFailure.permanent("The job's arguments are not those that it takes.")
            }
            return try await perform(payload, run)
        }
    }
}

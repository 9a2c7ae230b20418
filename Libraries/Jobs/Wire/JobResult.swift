internal import FoundationEssentials
package import Time

/// How a job ended: what `arq:result:<id>` holds for a while, whichever language's worker wrote it.
package struct JobResult: Hashable, Sendable {
    package enum Outcome: Hashable, Sendable {
        case value(JobValue)
        case failure(RemoteFailure)
    }

    package let id: JobID
    package let job: String
    package let outcome: Outcome
    /// How many runs it took.
    package let attempts: Int
    package let enqueuedAt: Instant
    package let startedAt: Instant
    package let finishedAt: Instant

    /// What the job returned.
    ///
    /// - Throws: `RemoteFailure` if it failed.
    package func value<Value: Decodable>(as type: Value.Type) throws -> Value {
        switch outcome {
        case .value(let value): return try value.decoded(as: type)
        case .failure(let failure): throw failure
        }
    }
}

/// An error that ended a job, as its worker tells it: an exception's class and text in Python.
///
/// The text is for whoever waits for the job. It may quote what the job was about, so it does not belong into a log.
package struct RemoteFailure: Error, Hashable, Sendable {
    package let type: String
    package let message: String

    package init(type: String, message: String) {
        self.type = type
        self.message = message
    }

    /// What arq's caller is told of a job that was aborted.
    static let aborted = RemoteFailure(type: "CancelledError", message: "The job was aborted.")

    /// `{"__error__": {"type": …, "message": …}}`; docs/libraries/Jobs.md has the few lines of Python that write and read it. Without
    /// them arq writes a text in place of an exception.
    init(parsing value: JobValue) {
        if let members = value.object?["__error__"]?.object, let type = members["type"]?.text {
            self.init(type: type, message: members["message"]?.text ?? "")
        } else {
            self.init(type: "Exception", message: value.text ?? "The job failed.")
        }
    }

    var wire: JobValue { .object(["__error__": .object(["type": .text(type), "message": .text(message)])]) }
}

extension JobResult {
    init?(parsing bytes: [UInt8], id: JobID) {
        guard let members = (try? JobValue(parsing: bytes))?.object, let job = members["f"]?.text,
            case .bool(let isSuccess)? = members["s"], let value = members["r"], let enqueuedAt = members["et"]?.integer,
            let startedAt = members["st"]?.integer, let finishedAt = members["ft"]?.integer
        else { return nil }
        self.id = id
        self.job = job
        outcome = isSuccess ? .value(value) : .failure(RemoteFailure(parsing: value))
        attempts = members["t"]?.integer.flatMap(Int.init(exactly:)) ?? 0
        self.enqueuedAt = Instant(milliseconds: enqueuedAt)
        self.startedAt = Instant(milliseconds: startedAt)
        self.finishedAt = Instant(milliseconds: finishedAt)
    }

    /// As arq writes it.
    func bytes(of body: JobBody, queue: String) throws -> [UInt8] {
        var members: [String: JobValue] = [
            "t": .integer(Int64(attempts)), "f": .text(job), "a": .array(body.arguments), "k": .object(body.keywords),
            "et": .integer(body.enqueuedAt), "st": .integer(startedAt.milliseconds), "ft": .integer(finishedAt.milliseconds),
            "q": .text(queue), "id": .text(id.rawValue),
        ]
        switch outcome {
        case .value(let value): (members["s"], members["r"]) = (.bool(true), value)
        case .failure(let failure): (members["s"], members["r"]) = (.bool(false), failure.wire)
        }
        return try JobValue.object(members).bytes
    }
}

internal import FoundationEssentials
internal import Time

/// What `arq:job:<id>` holds: arq's dictionary, by its letters, in JSON.
struct JobBody: Hashable, Sendable {
    var function: String
    var arguments: [JobValue] = []
    var keywords: [String: JobValue] = [:]
    /// Which run it begins with, if the producer says so (arq's `_job_try`).
    var attempt: Int?
    var enqueuedAt: Int64
    /// What the effect of this job is known by in the database. A unique key gives one id to many jobs, one after another; this tells
    /// them apart. arq leaves it unread, and writes none.
    var instance: String?

    /// A payload that is an object travels as keyword arguments, an array as positional ones, and anything else as the only one.
    init(function: String, payload: JobValue, enqueuedAt: Instant) {
        self.function = function
        self.enqueuedAt = enqueuedAt.milliseconds
        instance = UUIDv7.make(at: enqueuedAt).text
        switch payload {
        case .object(let members): keywords = members
        case .array(let elements): arguments = elements
        case .null: break
        default: arguments = [payload]
        }
    }

    /// Nil for what is no job: another serialiser's bytes, or members of other types.
    init?(parsing bytes: [UInt8]) {
        guard let members = (try? JobValue(parsing: bytes))?.object, let function = members["f"]?.text,
            let arguments = members["a"]?.array, let keywords = members["k"]?.object, let enqueuedAt = members["et"]?.integer
        else { return nil }
        self.function = function
        self.arguments = arguments
        self.keywords = keywords
        self.enqueuedAt = enqueuedAt
        attempt = members["t"]?.integer.flatMap(Int.init(exactly:))
        instance = members["n"]?.text
    }

    /// What the effect is known by, for a job of arq's making too.
    func instance(of id: JobID) -> String { instance ?? "\(id)@\(enqueuedAt)" }

    var bytes: [UInt8] {
        get throws {
            var members: [String: JobValue] = [
                "t": attempt.map { .integer(Int64($0)) } ?? .null, "f": .text(function), "a": .array(arguments), "k": .object(keywords),
                "et": .integer(enqueuedAt),
            ]
            if let instance { members["n"] = .text(instance) }
            return try JobValue.object(members).bytes
        }
    }

    /// The payload again, whichever way the producer passed it. Positional and keyword arguments together have no place in it.
    func payload<Payload: Decodable>(as type: Payload.Type) throws -> Payload {
        if !keywords.isEmpty {
            guard arguments.isEmpty else {
                throw JobFailure.permanent("The job came with positional and keyword arguments, and one or the other is understood.")
            }
            return try JobValue.object(keywords).decoded(as: type)
        }
        guard !arguments.isEmpty else {
            // No arguments may be meant as an object without members, as an empty array, or as nothing.
            for nothing in [JobValue.object([:]), .array([]), .null] {
                if let payload = try? nothing.decoded(as: type) { return payload }
            }
            throw JobFailure.permanent("The job came without arguments, and needs some.")
        }
        if let payload = try? JobValue.array(arguments).decoded(as: type) { return payload }
        guard arguments.count == 1 else { throw JobFailure.permanent("The job's arguments are not those that it takes.") }
        return try arguments[0].decoded(as: type)
    }
}

extension Instant {
    /// Milliseconds since 1970, as arq counts.
    var milliseconds: Int64 { microsecondsSinceEpoch / 1_000 }

    init(milliseconds: Int64) {
        let (microseconds, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000)
        self.init(microsecondsSinceEpoch: overflow ? (milliseconds < 0 ? .min : .max) : microseconds)
    }
}

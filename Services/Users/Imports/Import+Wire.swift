internal import Application
internal import Contracts
internal import FHIR
internal import FoundationEssentials
internal import RPC
internal import Time

extension UsersV1.StartImportRequest {
    func parsed() throws(RPCError) -> ImportWish {
        var violations = FieldViolations()
        let clientID = violations.value("client_id", self.clientId, ClientID.init(_:))
        let format = violations.value("format", self.format, Import.Format.init(_:))
        let source = violations.value("source", self.source.isEmpty ? "fhir" : self.source) { text throws(InvalidValue) in
            let isPlain = text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) && byte < 0x80 || "._-".utf8.contains(byte)
            }
            guard text.utf8.count <= 64, isPlain else {
                throw InvalidValue("must be 64 letters, digits, points, underscores and hyphens at most")
            }
            return text
        }
        violations.check((1...Import.mostBytes).contains(self.byteCount), "byte_count", "It must be 1 to \(Import.mostBytes).")
        let sha256 = violations.value("sha256", self.sha256, [UInt8].init(digest:))
        let (client, form, origin, digest) = try violations.complete(clientID, format, source, sha256)
        return ImportWish(clientID: client, format: form, source: origin, byteCount: self.byteCount, sha256: digest)
    }
}

extension [UInt8] {
    /// A SHA-256 in hexadecimal digits.
    fileprivate init(digest text: String) throws(InvalidValue) {
        let digits = text.utf8.compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
        guard text.utf8.count == 64, digits.count == 64 else { throw InvalidValue("must have 64 hexadecimal digits") }
        self = stride(from: 0, to: 64, by: 2).map { UInt8(digits[$0] * 16 + digits[$0 + 1]) }
    }
}

extension Import.Format {
    fileprivate init(_ format: UsersV1.ImportFormat) throws(InvalidValue) {
        switch format {
        case .fhirR4Bundle: self = .bundle
        case .fhirR4Ndjson: self = .lines
        case .unspecified: throw InvalidValue("is needed")
        default: throw InvalidValue("is none of the values that this version knows")
        }
    }
}

extension UsersV1.ImportFormat {
    fileprivate init(_ format: Import.Format) {
        self = switch format {
        case .bundle: .fhirR4Bundle
        case .lines: .fhirR4Ndjson
        }
    }
}

extension UsersV1.ImportState {
    fileprivate init(_ state: Import.State) {
        self = switch state {
        case .uploading: .uploading
        case .running: .running
        case .finished: .finished
        case .failed: .failed
        }
    }
}

extension UsersV1.ImportCount {
    fileprivate init(_ type: String, _ count: ImportCounts.Count) {
        func total(_ isFailure: Bool) -> Int64 { count.issues.reduce(0) { $0 + ($1.reason.isFailure == isFailure ? $1.count : 0) } }
        self.init(
            type: type, importedCount: count.imported, existingCount: count.existing, skippedCount: total(false), failedCount: total(true),
            issues: count.issues.map { .init(reason: .init(rawValue: $0.reason.rawValue), count: $0.count, entries: $0.entries) })
    }
}

extension UsersV1.ImportJob {
    init(_ job: Import) {
        // The last byte counts when the file was checked: with nothing left to send nobody could have that done.
        let received = job.waitsForCheck ? job.byteCount - 1 : job.receivedByteCount
        self.init(
            id: job.id.text, clientId: job.clientID, format: .init(job.format), source: job.source, state: .init(job.state),
            requestedAt: .init(job.requestedAt), finishedAt: job.finishedAt.map { .init($0) }, expiresAt: .init(job.expiresAt),
            byteCount: job.byteCount, sha256: job.sha256.hexadecimal, receivedByteCount: received, entryCount: job.place.entry,
            counts: job.counts.types.sorted { $0.key < $1.key }.map { .init($0.key, $0.value) }, failure: job.failure ?? "")
    }
}

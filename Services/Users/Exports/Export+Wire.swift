internal import Application
internal import Contracts
internal import FoundationEssentials
internal import RPC
internal import Time

extension UsersV1.StartExportRequest {
    func parsed() throws(RPCError) -> (ClientID, RecordFormat) {
        var violations = FieldViolations()
        let clientID = violations.value("client_id", self.clientId, ClientID.init(_:))
        let format = violations.value("format", self.format, RecordFormat.init(_:))
        return try violations.complete(clientID, format)
    }
}

extension RecordFormat {
    fileprivate init(_ format: UsersV1.ExportFormat) throws(InvalidValue) {
        switch format {
        case .jsonLines: self = .jsonLines
        case .fhirR4: self = .fhirR4
        case .unspecified: throw InvalidValue("is needed")
        default: throw InvalidValue("is none of the values that this version knows")
        }
    }
}

extension UsersV1.ExportFormat {
    fileprivate init(_ format: RecordFormat) {
        self = switch format {
        case .jsonLines: .jsonLines
        case .fhirR4: .fhirR4
        }
    }
}

extension UsersV1.ExportState {
    fileprivate init(_ state: Export.State) {
        self = switch state {
        case .running: .running
        case .finished: .finished
        case .failed: .failed
        }
    }
}

extension UsersV1.Export {
    init(_ export: Export) {
        self.init(
            id: export.id.text, clientId: export.clientID, format: .init(export.format), state: .init(export.state),
            requestedAt: .init(export.requestedAt), finishedAt: export.finishedAt.map { .init($0) }, expiresAt: .init(export.expiresAt),
            counts: export.counts, byteCount: export.byteCount,
            sha256: export.sha256?.hexadecimal ?? "", failure: export.failure ?? "")
    }
}

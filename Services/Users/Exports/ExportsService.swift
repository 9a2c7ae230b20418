internal import Application
internal import Contracts
internal import FoundationEssentials
internal import RPC
internal import Time

/// The methods of `heartguard.users.v1.ExportsService`.
struct ExportsService: Sendable {
    let exports: ExportRepository
}

extension ExportsService: UsersV1.ExportsServiceProtocol {
    func startExport(_ request: UsersV1.StartExportRequest, context: RPCContext) async throws -> UsersV1.StartExportResponse {
        let user = UserID(try context.caller().userID)
        let (clientID, format) = try request.parsed()
        return .init(export: .init(try await exports.start(clientID, as: format, of: user)))
    }

    func getExport(_ request: UsersV1.GetExportRequest, context: RPCContext) async throws -> UsersV1.GetExportResponse {
        let user = UserID(try context.caller().userID)
        guard let export = try await exports.find(try UUID.named("export_id", request.exportId), of: user) else { throw ExportsError.notFound }
        return .init(export: .init(export))
    }

    func listExports(_ request: UsersV1.ListExportsRequest, context: RPCContext) async throws -> UsersV1.ListExportsResponse {
        .init(exports: try await exports.list(of: UserID(try context.caller().userID)).map { .init($0) })
    }

    func deleteExport(_ request: UsersV1.DeleteExportRequest, context: RPCContext) async throws -> UsersV1.DeleteExportResponse {
        let user = UserID(try context.caller().userID)
        guard try await exports.remove(try UUID.named("export_id", request.exportId), of: user) else { throw ExportsError.notFound }
        return .init()
    }

    func downloadExport(
        _ request: UsersV1.DownloadExportRequest, responses: ResponseWriter<UsersV1.DownloadExportResponse>, context: RPCContext
    ) async throws {
        let user = UserID(try context.caller().userID)
        let (id, offset) = try Self.range(request.exportId, request.offset)
        let export = try await finished(id, of: user)
        var place = offset
        while place < export.byteCount {
            // Nobody who has deleted it meanwhile gets what is left.
            guard let chunk = try await exports.chunk(at: place, of: id, user) else { throw ExportsError.notFound }
            try await responses.write(.init(offset: place, content: chunk.content(from: place)))
            place = chunk.end
        }
    }

    func readExport(_ request: UsersV1.ReadExportRequest, context: RPCContext) async throws -> UsersV1.ReadExportResponse {
        let user = UserID(try context.caller().userID)
        let (id, offset) = try Self.range(request.exportId, request.offset)
        let export = try await finished(id, of: user)
        let chunk = try await exports.chunk(at: offset, of: id, user)
        return .init(offset: offset, content: chunk?.content(from: offset) ?? [], byteCount: export.byteCount)
    }

    private func finished(_ id: UUID, of user: UserID) async throws -> Export {
        guard let export = try await exports.find(id, of: user) else { throw ExportsError.notFound }
        guard export.state == .finished else { throw ExportsError.notFinished }
        return export
    }

    private static func range(_ id: String, _ offset: Int64) throws(RPCError) -> (UUID, Int64) {
        var violations = FieldViolations()
        let id = violations.value("export_id", id, UUID.init(parsing:))
        violations.check(offset >= 0, "offset", "It must not be negative.")
        return (try violations.complete(id), offset)
    }
}

extension ExportChunk {
    /// What it has from a byte of the file on.
    fileprivate func content(from byte: Int64) -> [UInt8] { Array(content.dropFirst(Int(byte - firstByte))) }
}

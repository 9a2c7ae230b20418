internal import Application
internal import Contracts
internal import FoundationEssentials
internal import RPC
internal import Time

/// The methods of `heartguard.users.v1.ImportsService`.
struct ImportsService: Sendable {
    let imports: ImportRepository
}

extension ImportsService: UsersV1.ImportsServiceProtocol {
    func startImport(_ request: UsersV1.StartImportRequest, context: RPCContext) async throws -> UsersV1.StartImportResponse {
        let user = UserID(try context.caller().userID)
        return .init(importJob: .init(try await imports.start(try request.parsed(), of: user)))
    }

    func uploadImport(
        _ requests: RequestStream<UsersV1.UploadImportRequest>, context: RPCContext
    ) async throws -> UsersV1.UploadImportResponse {
        let caller = try context.caller()
        var upload = ImportUpload(to: imports, of: UserID(caller.userID))
        do {
            // A message is read when those before it are kept or gathered, so a sender that is faster waits.
            for try await request in requests {
                guard Instant.now() < caller.tokenExpiresAt else {
                    throw RPCError(.unauthenticated, "The access token has expired. Go on with a new one, behind the bytes that have come.")
                }
                let name = request.importId.isEmpty ? upload.job?.id.uuidString ?? "" : request.importId
                try await upload.take(request.content, at: request.offset, to: try place(name, request.offset, request.content))
            }
            try await upload.keep()
        } catch {
            // What came before is kept if that can be; the caller hears of what went wrong first.
            try? await upload.keep()
            throw error
        }
        guard let job = upload.job else { throw RPCError.invalid([("import_id", "The stream has no message that says it.")]) }
        return .init(importJob: .init(job))
    }

    func writeImport(_ request: UsersV1.WriteImportRequest, context: RPCContext) async throws -> UsersV1.WriteImportResponse {
        let user = UserID(try context.caller().userID)
        let id = try place(request.importId, request.offset, request.content)
        return .init(importJob: .init(try await imports.write(request.content, at: request.offset, to: id, of: user)))
    }

    func getImport(_ request: UsersV1.GetImportRequest, context: RPCContext) async throws -> UsersV1.GetImportResponse {
        let user = UserID(try context.caller().userID)
        guard let job = try await imports.find(try UUID.named("import_id", request.importId), of: user) else { throw ImportsError.notFound }
        return .init(importJob: .init(job))
    }

    func listImports(_ request: UsersV1.ListImportsRequest, context: RPCContext) async throws -> UsersV1.ListImportsResponse {
        .init(importJobs: try await imports.list(of: UserID(try context.caller().userID)).map { .init($0) })
    }

    func deleteImport(_ request: UsersV1.DeleteImportRequest, context: RPCContext) async throws -> UsersV1.DeleteImportResponse {
        let user = UserID(try context.caller().userID)
        guard try await imports.remove(try UUID.named("import_id", request.importId), of: user) else { throw ImportsError.notFound }
        return .init()
    }

    /// Of which import bytes are, once they may be some of it.
    private func place(_ name: String, _ offset: Int64, _ content: [UInt8]) throws(RPCError) -> UUID {
        var violations = FieldViolations()
        let id = violations.value("import_id", name, UUID.init(parsing:))
        violations.check((0...Import.mostBytes).contains(offset), "offset", "It must be 0 to \(Import.mostBytes).")
        violations.check(
            (1...Import.mostBytesAtOnce).contains(content.count), "content", "It must have 1 to \(Import.mostBytesAtOnce) bytes.")
        return try violations.complete(id)
    }
}

internal import Contracts
internal import Crypto
internal import Foundation
internal import RPC
internal import Time

/// Sends a file of somebody's records to be taken in, and follows what becomes of it.
struct RecordsUpload {
    let file: URL
    let format: UsersV1.ImportFormat
    let source: String
    let client: GatewayClient
    /// How long the file may take to be taken in once it has been sent; `nil`: as long as it takes.
    var patience: Duration?

    private var imports: UsersV1.ImportsServiceClient { UsersV1.ImportsServiceClient(client.channel) }

    /// The import as it has ended. The same file again goes on with the import that there is.
    func run() async throws -> UsersV1.ImportJob {
        let whole = try ImportRecord.Source(file)
        let clientID = "heartguard records \(whole.sha256.prefix(32))"
        var job = try await client.patiently { options throws(RPCError) in
            try await imports.startImport(
                .init(clientId: clientID, format: format, source: source, byteCount: Int64(whole.bytes), sha256: whole.sha256), options: options
            ).importJob
        } ?? .init()
        let bytes = try FileBytes(file, at: UInt64(job.receivedByteCount))
        while job.state == .uploading {
            let offset = Int64(bytes.offset)
            let content = try bytes.read(FileBytes.pieceBytes)
            guard !content.isEmpty else { throw CommandFailure("\(file.path) has fewer bytes than it had.") }
            job = try await client.patiently { options throws(RPCError) in
                try await imports.writeImport(.init(importId: job.id, offset: offset, content: content), options: options).importJob
            } ?? .init()
        }
        let sent = ContinuousClock.now
        while job.state == .running {
            if let patience, ContinuousClock.now - sent > patience { throw CommandFailure("the import was not finished within \(patience.shown).") }
            try await Task.sleep(for: .milliseconds(200))
            job = try await client.patiently { options throws(RPCError) in
                try await imports.getImport(.init(importId: job.id), options: options).importJob
            } ?? .init()
        }
        return job
    }
}

/// Has everything that is kept of somebody written to a file.
struct RecordsDownload {
    let file: URL
    let format: UsersV1.ExportFormat
    let client: GatewayClient

    private var exports: UsersV1.ExportsServiceClient { UsersV1.ExportsServiceClient(client.channel) }

    func run() async throws -> UsersV1.Export {
        let clientID = UUID().uuidString
        var export = try await client.patiently { options throws(RPCError) in
            try await exports.startExport(.init(clientId: clientID, format: format), options: options).export
        } ?? .init()
        while export.state == .running {
            try await Task.sleep(for: .milliseconds(200))
            export = try await client.patiently { options throws(RPCError) in
                try await exports.getExport(.init(exportId: export.id), options: options).export
            } ?? .init()
        }
        guard export.state == .finished else { throw CommandFailure("the export was given up: \(export.failure)") }
        var partial = try PartialFile(file, isPrivate: true)
        do {
            var digest = SHA256()
            var offset: Int64 = 0
            while offset < export.byteCount {
                let content = try await client.patiently { options throws(RPCError) in
                    try await exports.readExport(.init(exportId: export.id, offset: offset), options: options).content
                }
                guard !content.isEmpty else { throw CommandFailure("the export ended too early.") }
                digest.update(data: content)
                try partial.write(content)
                offset += Int64(content.count)
            }
            guard digest.finalize().hexadecimal == export.sha256 else {
                throw CommandFailure("the bytes that came are not those of the export.")
            }
            try partial.finish()
        } catch {
            partial.remove()
            throw error
        }
        await remove(export)
        return export
    }

    /// What has been fetched is not kept there as well: five are, and then no more are made. One that cannot be removed goes by itself after a week.
    private func remove(_ export: UsersV1.Export) async {
        _ = try? await client.patiently { options throws(RPCError) in
            try await exports.deleteExport(.init(exportId: export.id), options: options)
        }
    }
}

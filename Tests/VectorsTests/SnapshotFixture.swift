internal import Contracts
internal import Foundation
internal import Logging
internal import Snapshots
internal import TestSupport
internal import Testing

@testable internal import Vectors

/// Lends a folder for a replica's snapshots.
func withSnapshotFolder(_ body: (String) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "heartguard-snapshots-\(UUID().uuidString)").path
    // What is left in the temporary folder does no harm.
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try await body(folder)
}

extension SnapshotStore {
    /// As a replica has it that was started on this folder.
    convenience init(in folder: String, changes: Int = 1, interval: Duration = .seconds(900)) {
        self.init(folder: folder, policy: SnapshotPolicy(changes: changes, interval: interval), logger: quiet)
    }
}

extension VectorsService {
    func index(_ name: String) async throws -> CollectionIndex { try await indexes.index(of: CollectionName(name)) }

    /// Waits until everything that was committed is on the disk.
    func untilSaved(_ name: String) async throws {
        try await until {
            let index = try await index(name)
            let position = try await collection(name)?.position
            return index.seen == position && index.snapshot.saved?.position == position
        }
    }

    func untilBuilt(_ name: String) async throws -> CollectionIndex {
        try await until { try await index(name).seen != nil }
        return try await index(name)
    }

    /// What searches of all kinds find, so widely that they are exact.
    func answers(_ collection: String, _ queries: [[Float]]) async throws -> [VectorsV1.SearchResponse] {
        var answers: [VectorsV1.SearchResponse] = []
        for (number, query) in queries.enumerated() {
            let filters: [VectorsV1.Filter?] = [nil, .equals("group", .text("1")), .range("year", from: .number(2_023))]
            for filter in filters {
                answers.append(try await find(near: query, in: collection, limit: 10, where: filter, effort: 300))
                // A word that few documents have: of those that hold words equally, any may come first.
                answers.append(
                    try await find(near: query, in: collection, limit: 10, where: filter, text: "\(number)", effort: 300))
                answers.append(try await find(in: collection, limit: 10, where: filter, text: "\(number)"))
            }
        }
        return answers
    }
}

/// The one snapshot in a folder.
func snapshotFile(in folder: String) throws -> URL {
    let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".snapshot") }
    return URL(filePath: folder).appending(path: try #require(names.first))
}

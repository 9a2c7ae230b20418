import Foundation
import Snapshots
import Testing

/// The code of docs/libraries/Snapshots.md.
@Suite struct `The library's page` {
    @Test func `shows what compiles and is true`() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "heartguard-snapshots-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        // What is left in the temporary folder does no harm.
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let bytes: [UInt8] = [1, 2, 3]

        let header = SnapshotHeader(subject: "numbers 1", position: 7, writtenAt: 0)
        let writer = try SnapshotWriter(header, in: folder, as: "numbers")
        try writer.append(unsafe bytes.span.bytes, to: 1)
        try writer.close()
        _ = try writer.putInPlace()

        var found: [UInt8]?
        if let reader = try SnapshotReader.open("\(folder)/numbers"), reader.header.subject == "numbers 1" {
            found = try reader.read(1, threads: 2)
        }
        #expect(found == bytes)
    }
}

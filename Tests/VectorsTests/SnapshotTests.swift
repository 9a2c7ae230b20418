internal import Contracts
internal import Foundation
internal import Snapshots
internal import TestSupport
internal import Testing

@testable internal import Vectors

@Suite struct `A snapshot of an index` {
    @Test(arguments: [VectorsV1.Metric.cosine, .euclidean])
    func `taken amid changes, with the rows behind it, is as if nothing had stopped`(_ metric: VectorsV1.Metric) async throws {
        try await withSnapshotFolder { folder in
            try await withVectorsDatabase { database in
                var generator = SeededGenerator(seed: 11)
                var model = Model()
                try await database.withReplica { steady in
                    try await steady.create("notes", dimension: 8, metric: metric)
                    for _ in 0..<4 {
                        try await database.withReplica(snapshots: SnapshotStore(in: folder)) { vectors in
                            for _ in 0..<6 { try await vectors.change("notes", &model, using: &generator) }
                        }
                        // Behind the snapshot, and before the next start.
                        for _ in 0..<3 { try await steady.change("notes", &model, using: &generator) }
                    }
                    let queries = (0..<6).map { _ in generator.vector(8) }
                    let position = try await steady.collection("notes")?.position ?? 0
                    _ = try await steady.find(near: queries[0], in: "notes", minPosition: position)

                    let store = SnapshotStore(in: folder)
                    try await database.withReplica(snapshots: store) { vectors in
                        _ = try await vectors.untilBuilt("notes")
                        #expect(store.statistics.loads == [.used: 1])
                        #expect(try await vectors.answers("notes", queries) == steady.answers("notes", queries))
                        try await vectors.expectIndexEqualsTable("notes")
                        try await vectors.expect(model, in: "notes", using: &generator)
                    }
                }
            }
        }
    }

    @Test func `is read into a file where vectors are mapped, and is as in memory`() async throws {
        try await withSnapshotFolder { folder in
            try await withVectorsDatabase { database in
                var generator = SeededGenerator(seed: 12)
                var model = Model()
                let queries = (0..<4).map { _ in generator.vector(8) }
                let wanted = try await database.withReplica(snapshots: SnapshotStore(in: folder)) { vectors in
                    try await vectors.create("notes", dimension: 8)
                    for _ in 0..<8 { try await vectors.change("notes", &model, using: &generator) }
                    try await vectors.untilSaved("notes")
                    return try await vectors.answers("notes", queries)
                }
                var graph = GraphConfiguration(m: 8, efConstruction: 60)
                graph.vectorFolder = folder

                let store = SnapshotStore(in: folder)
                try await database.withReplica(snapshots: store, graph: graph) { vectors in
                    _ = try await vectors.untilBuilt("notes")
                    #expect(store.statistics.loads == [.used: 1])
                    let found = try await vectors.answers("notes", queries)
                    #expect(found == wanted)
                    let files = FileManager.default
                    let open = try files.contentsOfDirectory(atPath: "/proc/self/fd").compactMap {
                        try? files.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")
                    }
                    #expect(open.contains { $0.hasPrefix("\(folder)/vectors-") })
                    try await vectors.change("notes", &model, using: &generator)
                    try await vectors.expect(model, in: "notes", using: &generator)
                }
            }
        }
    }

    @Test func `of the medical texts, with one flipped bit or a part missing, is never used, and the answers are the same`() async throws {
        let texts = try MedicalSample(first: 100)
        let queries = Array(texts.questions.prefix(3))
        try await withSnapshotFolder { folder in
            try await withVectorsDatabase { database in
                let wanted = try await database.withReplica(snapshots: SnapshotStore(in: folder)) { vectors in
                    try await vectors.create("medical_texts", dimension: 384, metric: .cosine)
                    try await vectors.upsert(texts.documents, in: "medical_texts")
                    try await vectors.untilSaved("medical_texts")
                    return try await vectors.answers("medical_texts", queries)
                }
                let file = try snapshotFile(in: folder)
                let whole = try Data(contentsOf: file)
                var generator = SeededGenerator(seed: 12)
                let index = try await database.withReplica { try await $0.untilBuilt("medical_texts") }
                // Header, each section and the table: the first and the last byte of every 4 KiB, and places in between.
                let edges = stride(from: 0, to: whole.count, by: 4096).flatMap { [$0, max(0, $0 - 1)] } + [whole.count - 1]
                let places = edges + (0..<400).map { _ in Int.random(in: 0..<whole.count, using: &generator) }
                for place in places {
                    var damaged = whole
                    damaged[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
                    try damaged.write(to: file)
                    #expect(throws: SnapshotError.self, "bit of byte \(place)") {
                        try SnapshotReader.open(file.path)?.verify(threads: 1)
                    }
                }

                try await expectRefused(places.shuffled(using: &generator).prefix(25), of: whole, in: folder, for: index)

                for place in [100, whole.count / 2] {
                    var damaged = whole
                    damaged[place] ^= 4
                    try damaged.write(to: file)
                    let store = SnapshotStore(in: folder)
                    try await database.withReplica(snapshots: store) { vectors in
                        _ = try await vectors.untilBuilt("medical_texts")
                        #expect(store.statistics.loads == [.damaged: 1])
                        #expect(try await vectors.answers("medical_texts", queries) == wanted)
                        try await vectors.expectIndexEqualsTable("medical_texts")
                        try await vectors.untilSaved("medical_texts")
                    }
                }
            }
        }
    }

    /// Damages the file at each of the places, or cuts it off there.
    private func expectRefused(_ places: some Swift.Collection<Int>, of whole: Data, in folder: String, for index: CollectionIndex) async throws {
        let file = URL(filePath: folder).appending(path: SnapshotFolder.name(of: index.collection.id))
        let store = SnapshotStore(in: folder)
        for place in places {
            var damaged = whole
            damaged[place] ^= 16
            for broken in [damaged, whole.prefix(place)] {
                try broken.write(to: file)
                let loaded = try await store.load(index)
                #expect(loaded == nil, "byte \(place)")
                #expect(!FileManager.default.fileExists(atPath: file.path))
            }
        }
        #expect(store.statistics.loads == [.damaged: 2 * places.count])
        try whole.write(to: file)
        let loaded = try await store.load(index)
        #expect(loaded != nil)
    }

    @Test func `is written while searches and changes go on`() async throws {
        try await withSnapshotFolder { folder in
            try await withVectorsDatabase { database in
                let store = SnapshotStore(in: folder)
                try await database.withReplica(snapshots: store) { vectors in
                    try await vectors.create("notes", dimension: 8)
                    try await withThrowingTaskGroup { group in
                        group.addTask {
                            var generator = SeededGenerator(seed: 13)
                            for round in 0..<60 {
                                try await vectors.upsert(
                                    (0..<10).map { .at(generator.vector(8), "\(round % 20)-\($0)") }, in: "notes")
                                if round % 5 == 4 { try await vectors.delete(["\(round % 20)-3"], from: "notes") }
                            }
                        }
                        for reader in 0..<2 {
                            group.addTask {
                                var generator = SeededGenerator(seed: UInt64(14 + reader))
                                for _ in 0..<200 {
                                    let found = try await vectors.find(near: generator.vector(8), in: "notes", limit: 20)
                                    #expect(Set(found.matches.map(\.id)).count == found.matches.count)
                                }
                            }
                        }
                        try await group.waitForAll()
                    }
                    #expect(store.statistics.written > 2)
                    #expect(store.statistics.failed == 0)
                }
                let next = SnapshotStore(in: folder)
                try await database.withReplica(snapshots: next) { vectors in
                    _ = try await vectors.untilBuilt("notes")
                    #expect(next.statistics.loads == [.used: 1])
                    try await vectors.expectIndexEqualsTable("notes")
                }
            }
        }
    }

    @Test func `is written at the end, so that the next start reads no rows`() async throws {
        try await withSnapshotFolder { folder in
            try await withVectorsDatabase { database in
                let position = try await database.withReplica(snapshots: SnapshotStore(in: folder, changes: 1_000)) { vectors in
                    try await vectors.create("notes")
                    return try await vectors.upsert([.at([1, 0, 0], "a"), .at([2, 0, 0], "b")], in: "notes").position
                }

                let store = SnapshotStore(in: folder, changes: 1_000)
                try await database.withReplica(snapshots: store) { vectors in
                    let index = try await vectors.untilBuilt("notes")
                    #expect(index.snapshot.saved?.position == position)
                    #expect(index.snapshot.changes == 0)
                    #expect(store.statistics.loads == [.used: 1])
                }
            }
        }
    }

    @Test func `that is longer than the memory is not read`() async throws {
        try await withSnapshotFolder { folder in
            try await withVectorsDatabase { database in
                try await database.withReplica(snapshots: SnapshotStore(in: folder)) { vectors in
                    try await vectors.create("notes")
                    try await vectors.upsert([.at([1, 0, 0], "a")], in: "notes")
                    try await vectors.untilSaved("notes")
                }
                let length = try Data(contentsOf: snapshotFile(in: folder)).count

                for (most, load) in [(length, SnapshotCounts.Load.used), (length - 1, .damaged)] {
                    let store = SnapshotStore(
                        folder: folder, policy: SnapshotPolicy(changes: 1_000_000), mostBytes: UInt64(most), logger: quiet)
                    try await database.withReplica(snapshots: store) { vectors in
                        _ = try await vectors.untilBuilt("notes")
                        #expect(store.statistics.loads == [load: 1])
                        try await vectors.expectIndexEqualsTable("notes")
                    }
                }
            }
        }
    }

    @Test func `that the system does not let be read stays where it is`() async throws {
        try await withSnapshotFolder { folder in
            try await withVectorsDatabase { database in
                try await database.withReplica(snapshots: SnapshotStore(in: folder)) { vectors in
                    try await vectors.create("notes")
                    try await vectors.upsert([.at([1, 0, 0], "a")], in: "notes")
                    try await vectors.untilSaved("notes")
                }
                // A link to itself opens for nobody, not even for root.
                let file = try snapshotFile(in: folder)
                try FileManager.default.removeItem(at: file)
                try FileManager.default.createSymbolicLink(at: file, withDestinationURL: file)

                let store = SnapshotStore(in: folder, changes: 1_000_000)
                try await database.withReplica(snapshots: store) { vectors in
                    _ = try await vectors.untilBuilt("notes")
                    #expect(store.statistics.loads == [.unread: 1])
                    try await vectors.expectIndexEqualsTable("notes")
                    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: file.path) == file.path)
                }
            }
        }
    }

    @Test func `takes the place of the last, so that the disk holds one, whatever was written again`() async throws {
        try await withSnapshotFolder { folder in
            try await withVectorsDatabase { database in
                try await database.withReplica(snapshots: SnapshotStore(in: folder)) { vectors in
                    try await vectors.create("notes", dimension: 16)
                    var generator = SeededGenerator(seed: 15)
                    var sizes: [Int] = []
                    for _ in 0..<100 {
                        try await vectors.upsert((0..<50).map { .at(generator.vector(16), "\($0)") }, in: "notes")
                        try await vectors.untilSaved("notes")
                        sizes.append(try Self.bytes(in: folder))
                    }
                    #expect(Double(sizes.max() ?? 0) <= 1.3 * Double(sizes[0]))
                }
            }
        }
    }

    @Test func `of what was deleted is replaced within its interval, and holds nothing of it then`() async throws {
        try await withSnapshotFolder { folder in
            try await withVectorsDatabase { database in
                // So many changes do not come; only the time can be the reason.
                let store = SnapshotStore(in: folder, changes: 1_000_000, interval: .milliseconds(300))
                try await database.withReplica(snapshots: store) { vectors in
                    try await vectors.create("notes")
                    try await vectors.upsert(
                        [.at([1, 0, 0], "kept"), .at([2, 0, 0], "id-of-secret", ["k": "secretmetadata"], content: "secretword")], in: "notes")
                    try await vectors.untilSaved("notes")
                    #expect(try Self.text(in: folder).contains("secretword"))

                    try await vectors.delete(["id-of-secret"], from: "notes")
                    try await vectors.untilSaved("notes")

                    let text = try Self.text(in: folder)
                    #expect(!text.contains("secretword") && !text.contains("secretmetadata") && !text.contains("id-of-secret"))
                    #expect(text.contains("kept"))
                }
            }
        }
    }

    @Test func `that cannot be replaced goes before what was deleted is kept for too long`() async throws {
        try await withSnapshotFolder { folder in
            try await withVectorsDatabase { database in
                let store = SnapshotStore(in: folder, changes: 1_000_000, interval: .milliseconds(200))
                try await database.withReplica(snapshots: store) { vectors in
                    try await vectors.create("notes")
                    try await vectors.upsert([.at([1, 0, 0], "a"), .at([2, 0, 0], "b")], in: "notes")
                    try await vectors.untilSaved("notes")
                    let file = try snapshotFile(in: folder)
                    try FileManager.default.createSymbolicLink(atPath: file.path + ".new", withDestinationPath: "/dev/full")

                    try await vectors.delete(["b"], from: "notes")
                    try await until {
                        // Each attempt that fails takes the link away.
                        if !FileManager.default.fileExists(atPath: file.path + ".new") {
                            try? FileManager.default.createSymbolicLink(atPath: file.path + ".new", withDestinationPath: "/dev/full")
                        }
                        return !FileManager.default.fileExists(atPath: file.path)
                    }

                    #expect(store.statistics.failed > 0)
                    try await until { try await vectors.index("notes").snapshot.saved == nil }
                    #expect(try await vectors.find(near: [1, 0, 0], in: "notes").matches.map(\.id) == ["a"])
                }
            }
        }
    }

    @Test func `for which there is no place leaves the service as it is, and is told of`() async throws {
        try await withSnapshotFolder { folder in
            // A folder cannot be made below a file.
            try Data().write(to: URL(filePath: folder))
            try await withVectorsDatabase { database in
                let store = SnapshotStore(in: folder + "/below")
                try await database.withReplica(snapshots: store) { vectors in
                    try await vectors.create("notes")
                    try await vectors.upsert([.at([1, 0, 0], "a")], in: "notes")
                    #expect(try await vectors.find(near: [1, 0, 0], in: "notes").matches.map(\.id) == ["a"])
                    try await until { store.statistics.failed > 0 }

                    let told = try await vectors.state(of: "notes")
                    #expect(told?.snapshotProblem == "The folder of the snapshots cannot be made.")
                    #expect(told?.snapshot == nil)
                }
            }
        }
    }

    @Test func `is one replica's: with a folder each they write side by side, with one folder the second says why not`() async throws {
        try await withSnapshotFolder { folder in
            try await withVectorsDatabase { database in
                try await database.withReplica(snapshots: SnapshotStore(in: folder + "/one")) { one in
                    try await one.create("notes")
                    try await database.withReplica(snapshots: SnapshotStore(in: folder + "/two")) { two in
                        try await one.upsert([.at([1, 0, 0], "a")], in: "notes")
                        try await one.untilSaved("notes")
                        try await two.untilSaved("notes")

                        try await database.withReplica(snapshots: SnapshotStore(in: folder + "/two")) { three in
                            _ = try await three.untilBuilt("notes")
                            try await three.upsert([.at([2, 0, 0], "b")], in: "notes")
                            try await until { try await three.state(of: "notes")?.snapshotProblem.isEmpty == false }
                            #expect(
                                try await three.state(of: "notes")?.snapshotProblem
                                    == "Another process writes snapshots to the same folder.")
                        }
                    }
                }
            }
        }
    }

    @Test func `of a collection that is not there any more is removed, with what a killed writer has left`() async throws {
        try await withSnapshotFolder { folder in
            try await withVectorsDatabase { database in
                try await database.withReplica(snapshots: SnapshotStore(in: folder)) { vectors in
                    for name in ["notes", "gone"] {
                        try await vectors.create(name)
                        try await vectors.upsert([.at([1, 0, 0], "a")], in: name)
                        try await vectors.untilSaved(name)
                    }
                    #expect(try Self.files(in: folder).count == 2)

                    try await database.server.psql("DELETE FROM vectors.collections WHERE name = 'gone'", database: database.name)
                    try await until { try Self.files(in: folder).count == 1 }
                    try await until { !vectors.indexes.all.contains { $0.collection.name.text == "gone" } }
                }
                let left = try snapshotFile(in: folder).path + ".new"
                try Data([1, 2, 3]).write(to: URL(filePath: left))
                try await database.withReplica(snapshots: SnapshotStore(in: folder)) { _ in
                    try await until { !FileManager.default.fileExists(atPath: left) }
                }
                #expect(try Self.files(in: folder).count == 1)
            }
        }
    }

    @Test func `of a collection that came and went between two looks at the table is removed`() async throws {
        try await withSnapshotFolder { folder in
            try await withVectorsDatabase { database in
                try await database.withReplica(pollInterval: .seconds(2), snapshots: SnapshotStore(in: folder)) { vectors in
                    try await until { vectors.indexes.readinessProblem == nil }
                    try await vectors.create("gone")
                    try await vectors.upsert([.at([1, 0, 0], "a")], in: "gone")
                    try await vectors.untilSaved("gone")
                    try await database.server.psql("DELETE FROM vectors.collections WHERE name = 'gone'", database: database.name)
                    try await until { try Self.files(in: folder).isEmpty }
                }
            }
        }
    }

    static func files(in folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0 != "lock" }
    }

    private static func bytes(in folder: String) throws -> Int {
        try files(in: folder).reduce(0) { sum, name in
            sum + ((try FileManager.default.attributesOfItem(atPath: "\(folder)/\(name)")[.size] as? Int) ?? 0)
        }
    }

    private static func text(in folder: String) throws -> String {
        String(decoding: try Data(contentsOf: snapshotFile(in: folder)), as: UTF8.self)
    }
}

internal import Application
internal import Foundation
internal import Postgres
internal import RPC
internal import TestSupport
internal import Testing

@testable internal import Chat

/// What somebody keeps, kept in the simplest way.
private struct Model {
    struct Kept: Equatable {
        var parent: UUID?
        var content: String
        var channels: [String: [UInt8]?]
        var step: Int
        var writes: [String: [Int32: [UInt8]]] = [:]
    }

    struct Place: Hashable {
        let thread: ThreadName
        let namespace: String
        let id: UUID
    }

    var checkpoints: [Place: Kept] = [:]
    /// Versions that a channel has had, with the value of each.
    var versions: [Place: [String: String]] = [:]

    func newest(_ thread: ThreadName, _ namespace: String) -> Place? {
        checkpoints.keys.filter { $0.thread == thread && $0.namespace == namespace }.max { $0.id.uuidString < $1.id.uuidString }
    }
}

extension KeptCheckpoint {
    fileprivate var asModel: Model.Kept {
        get throws {
            var kept = Model.Kept(
                parent: row.parent, content: String(decoding: content.data, as: UTF8.self),
                channels: Dictionary(uniqueKeysWithValues: channels.map { ($0.name, $0.value?.data) }),
                step: try JSONDecoder().decode([String: Int].self, from: Data(row.metadata.utf8))["step"] ?? -1)
            for write in writes { kept.writes[write.task, default: [:]][write.index] = write.value.data }
            return kept
        }
    }
}

@Suite struct `Checkpoints` {
    @Test(arguments: [1 as UInt64, 2, 3, 4]) func `are, whatever happens to them, what a simple table would have`(seed: UInt64) async throws {
        try await withCheckpoints { store in
            var generator = SeededGenerator(seed: seed)
            let people = (UUID(), UUID())
            // Two people whose threads have the same names.
            let threads = (0..<3).map { ThreadName(kept: "\(seed) \($0)") }
            var models: [UUID: Model] = [people.0: Model(), people.1: Model()]
            var ids = CheckpointIDs()
            let namespaces = ["", "child:1"]

            for step in 0..<160 {
                let user = Bool.random(using: &generator) ? people.0 : people.1
                let thread = try #require(threads.randomElement(using: &generator))
                let namespace = try #require(namespaces.randomElement(using: &generator))
                var model = try #require(models[user])
                let newest = model.newest(thread, namespace)
                switch Int.random(in: 0..<20, using: &generator) {
                case 0..<11:
                    // On top of the newest or, rarely, of an older one.
                    let candidates = model.checkpoints.keys.filter { $0.thread == thread && $0.namespace == namespace }
                    let parent = Int.random(in: 0..<5, using: &generator) == 0 ? candidates.min { $0.id.uuidString < $1.id.uuidString } : newest
                    var channels = parent.flatMap { model.checkpoints[$0]?.channels } ?? [:]
                    var versions = parent.flatMap { model.versions[$0] } ?? [:]
                    var given: [(name: String, version: String, value: NewCheckpoint.Value)] = []
                    for name in ["messages", "small", "blob"] {
                        if channels[name] != nil, Bool.random(using: &generator) {
                            given.append((name, versions[name] ?? "", .kept))
                            continue
                        }
                        var value: [UInt8]?
                        switch (name, Int.random(in: 0..<8, using: &generator)) {
                        case (_, 0): value = nil
                        case ("small", _): value = Array("value \(step)".utf8)
                        case ("blob", _): value = (0..<9_000).map { _ in UInt8.random(in: 0...255, using: &generator) }
                        default:
                            // A list that mostly grows, and now and then is cut or changed in its middle.
                            var list = (channels[name] ?? nil) ?? [0]
                            list[0] &+= 1
                            if Int.random(in: 0..<6, using: &generator) == 0, list.count > 4_000 {
                                list.replaceSubrange(1_000..<2_000, with: Array("edited \(step)".utf8))
                            }
                            list += (0..<Int.random(in: 300..<4_000, using: &generator)).map { _ in UInt8.random(in: 97...100, using: &generator) }
                            value = list
                        }
                        versions[name] = "\(step)"
                        channels[name] = .some(value)
                        given.append((name, "\(step)", value.map { .new(.bytes($0)) } ?? .empty))
                    }
                    let id = ids.make()
                    let missing = try await store.put(
                        .making(
                            id, of: thread, in: namespace, after: parent?.id, content: "content \(step)", given,
                            metadata: "{\"step\": \(step)}"),
                        of: user)
                    #expect(missing == [])
                    let place = Model.Place(thread: thread, namespace: namespace, id: id)
                    model.checkpoints[place] = .init(parent: parent?.id, content: "content \(step)", channels: channels, step: step)
                    model.versions[place] = versions
                case 11..<14:
                    guard let newest else { continue }
                    let index = Int32.random(in: -2...2, using: &generator)
                    // What was written is part of what comes of it.
                    let data = (0..<Int.random(in: 0..<600, using: &generator)).map { _ in UInt8.random(in: 97...99, using: &generator) }
                    let task = ["a", "b"].randomElement(using: &generator) ?? "a"
                    try await store.put(
                        [PendingWrite(task: task, path: "", index: index, channel: "messages", value: .bytes(data))], of: task, path: "",
                        behind: CheckpointKey(namespace: CheckpointNamespace(kept: namespace), id: newest.id), in: thread, of: user)
                    let before = model.checkpoints[newest]?.writes[task]?[index]
                    if before == nil || index < 0 { model.checkpoints[newest]?.writes[task, default: [:]][index] = data }
                case 14:
                    let had = model.checkpoints.keys.filter { $0.thread == thread }.count
                    let kept = namespaces.compactMap { model.newest(thread, $0) }
                    let deleted = try await store.prune(thread, .keepLatest, of: user)
                    #expect(deleted == had - kept.count)
                    for place in model.checkpoints.keys where place.thread == thread && !kept.contains(place) {
                        model.checkpoints[place] = nil
                    }
                    for place in kept { model.checkpoints[place]?.parent = nil }
                case 15 where step % 2 == 0:
                    _ = try await store.prune(thread, .delete, of: user)
                    for place in model.checkpoints.keys where place.thread == thread { model.checkpoints[place] = nil }
                case 16:
                    let target = ThreadName(kept: "\(seed) copy \(step)")
                    let source = model.checkpoints.filter { $0.key.thread == thread }
                    guard !source.isEmpty else { continue }
                    try await store.copy(thread, to: target, of: user)
                    for (place, kept) in source {
                        let copy = Model.Place(thread: target, namespace: place.namespace, id: place.id)
                        model.checkpoints[copy] = kept
                        model.versions[copy] = model.versions[place]
                    }
                default: break
                }
                models[user] = model
            }

            for (user, model) in models {
                for (place, kept) in model.checkpoints {
                    let found = try await store.find(place.id, in: CheckpointNamespace(kept: place.namespace), of: place.thread, user)
                    #expect(try found.asModel == kept, "seed \(seed), \(place)")
                }
                var list = CheckpointList(limit: 7)
                var listed: [KeptCheckpoint] = []
                while true {
                    let page = try await store.page(list, of: user)
                    listed += page.checkpoints
                    guard page.hasMore, let last = page.checkpoints.last else { break }
                    list.place = .init(id: last.row.id, thread: last.row.thread, namespace: last.row.namespace)
                }
                #expect(listed.count == model.checkpoints.count)
                for kept in listed {
                    let place = Model.Place(thread: ThreadName(kept: kept.row.threadName), namespace: kept.row.namespace, id: kept.row.id)
                    #expect(try kept.asModel == model.checkpoints[place])
                }
            }
        }
    }

    @Test func `put at once by many into one thread are all kept`() async throws {
        try await withCheckpoints { store in
            let (user, thread) = (UUID(), ThreadName.make())
            let base = [UInt8](repeating: 1, count: 5_000)
            let root = CheckpointIDs.id(1)
            _ = try await store.put(.making(root, of: thread, [("messages", "1", .new(.bytes(base)))]), of: user)

            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 2...20 as ClosedRange<UInt64> {
                    group.addTask {
                        let value = base + Array("branch \(number)".utf8)
                        let missing = try await store.put(
                            .making(CheckpointIDs.id(number), of: thread, after: root, [("messages", "\(number)", .new(.bytes(value)))]), of: user)
                        #expect(missing == [])
                    }
                }
                try await group.waitForAll()
            }

            for number in 2...20 as ClosedRange<UInt64> {
                let found = try await store.find(CheckpointIDs.id(number), in: CheckpointNamespace(kept: ""), of: thread, user)
                #expect(found.channels.first?.value?.data == base + Array("branch \(number)".utf8))
            }
        }
    }

    @Test func `put again are kept once, and put anew with other values have those`() async throws {
        try await withCheckpoints { store in
            let (user, thread, id) = (UUID(), ThreadName.make(), CheckpointIDs.id(1))
            let first = try NewCheckpoint.making(id, of: thread, [("a", "1", .new(.bytes([UInt8](repeating: 9, count: 4_000))))])
            _ = try await store.put(first, of: user)
            let before = try await store.bytesKept(of: user)

            for _ in 0..<3 { _ = try await store.put(first, of: user) }
            #expect(try await store.bytesKept(of: user) == before)

            _ = try await store.put(.making(id, of: thread, [("a", "2", .new(.bytes([1, 2])))], metadata: "{\"step\": 2}"), of: user)
            let found = try await store.find(id, in: CheckpointNamespace(kept: ""), of: thread, user)
            #expect(found.channels.map(\.value) == [.bytes([1, 2])])
            #expect(found.row.metadata == "{\"step\": 2}")
        }
    }

    /// "ṩ", of one code point and of three: equal to Swift, and not to the table.
    private static let forms = (one: "\u{1E69}", other: "s\u{323}\u{307}")

    @Test func `of one id are told apart by the bytes of their namespaces`() async throws {
        try await withCheckpoints { store in
            let (user, thread, id) = (UUID(), ThreadName.make(), CheckpointIDs.id(1))
            for namespace in [Self.forms.one, Self.forms.other] {
                let data = Array(namespace.utf8)
                _ = try await store.put(.making(id, of: thread, in: namespace, [("a", "1", .new(.bytes(data)))]), of: user)
                try await store.put(
                    [PendingWrite(task: "task", path: "", index: 0, channel: "a", value: .bytes(data))], of: "task", path: "",
                    behind: CheckpointKey(namespace: CheckpointNamespace(kept: namespace), id: id), in: thread, of: user)
            }

            let deleted = try await store.prune(thread, .keepLatest, of: user)
            let page = try await store.page(CheckpointList(limit: 10), of: user).checkpoints

            #expect(deleted == 0)
            #expect(page.count == 2)
            for checkpoint in page {
                let data = Array(checkpoint.row.namespace.utf8)
                #expect(checkpoint.channels.map { $0.value?.data } == [data])
                #expect(checkpoint.writes.map(\.value.data) == [data])
            }
            #expect(Set(page.map { Array($0.row.namespace.utf8) }).count == 2)
        }
    }

    @Test func `tell channels apart by the bytes of their names`() async throws {
        try await withCheckpoints { store in
            let (user, thread, id) = (UUID(), ThreadName.make(), CheckpointIDs.id(1))
            let (one, other) = Self.forms
            _ = try await store.put(.making(id, of: thread, [(one, "1", .new(.bytes([1]))), (other, "1", .new(.bytes([2])))]), of: user)

            let child = CheckpointIDs.id(2)
            let missing = try await store.put(.making(child, of: thread, after: id, [(other, "1", .kept), (one, "1", .kept)]), of: user)
            let found = try await store.find(child, in: CheckpointNamespace(kept: ""), of: thread, user)

            #expect(missing == [])
            #expect(found.channels.map { $0.value?.data } == [[2], [1]])
            // The other order of the two marks is a name that the checkpoint does not have.
            let unknown = "s\u{307}\u{323}"
            let lacking = try await store.put(.making(CheckpointIDs.id(3), of: thread, after: id, [(unknown, "1", .kept)]), of: user)
            #expect(lacking.map { Array($0.utf8) } == [Array(unknown.utf8)])
            // The same values under another name are no repetition.
            _ = try await store.put(.making(child, of: thread, after: id, [(unknown, "1", .new(.bytes([2]))), (one, "1", .kept)]), of: user)
            let renamed = try await store.find(child, in: CheckpointNamespace(kept: ""), of: thread, user)
            #expect(renamed.channels.map { Array($0.name.utf8) } == [Array(unknown.utf8), Array(one.utf8)])
        }
    }

    @Test(arguments: [
        #"{"a": 1e131000}"#, #"{"a": [{"b": -1E-9000}, 1e+9000]}"#, #"{"a": 1e99999999999999999999}"#, #"{"a": 1e-9223372036854775808}"#,
        #"{"a": "\u0000"}"#, #"{"\u0000": 1}"#, #"{"a": "\ud800"}"#, #"{"a": 1, "a": 2}"#, "[]", "1", "{",
    ])
    func `are not known by what PostgreSQL would write out at length, or not keep`(json: String) {
        #expect(throws: InvalidValue.self) { try CheckpointMetadata(json: json) }
    }

    @Test(arguments: [
        "\"" + String(repeating: "r", count: 256) + "\"", "1e255", "{\"id\": 1}", "[\"run\"]", String(repeating: "1", count: 256),
    ])
    func `are not known by a run that the index of runs does not hold`(run: String) throws {
        #expect(throws: InvalidValue.self) { try CheckpointMetadata(json: "{\"run_id\": \(run)}") }
        #expect(try CheckpointMetadata(json: "{\"parent\": {\"run_id\": \(run)}}").json.contains(run))
    }

    @Test func `are known by the longest run, in the longest namespace`() async throws {
        try await withCheckpoints { store in
            let (user, thread, id) = (UUID(), ThreadName.make(), CheckpointIDs.id(1))
            // No two parts are alike, so that nothing makes them shorter.
            func text(_ characters: Int) -> String {
                String(String.UnicodeScalarView((0..<characters).compactMap { _ in Unicode.Scalar(UInt32.random(in: 0x20000...0x2A6DF)) }))
            }
            let (run, space) = (text(CheckpointMetadata.maxRunCharacters), text(CheckpointNamespace.maxBytes / 4))
            let namespace = try CheckpointNamespace(space)

            _ = try await store.put(.making(id, of: thread, in: space, metadata: "{\"run_id\": \"\(run)\"}"), of: user)

            #expect(try await store.find(id, in: namespace, of: thread, user).row.metadata.contains(run))
            #expect(throws: InvalidValue.self) { try CheckpointNamespace(space + "n") }
        }
    }

    @Test func `are known by numbers and texts of any form`() async throws {
        struct Known: Decodable {
            let path: String
            let text: String
        }
        try await withCheckpoints { store in
            let (user, thread, id) = (UUID(), ThreadName.make(), CheckpointIDs.id(1))
            let metadata = #"{"least": 5e-324, "most": 1.7976931348623157e308, "path": "C:\\u0000", "text": "1e131000"}"#

            _ = try await store.put(.making(id, of: thread, metadata: metadata), of: user)

            let kept = try await store.find(id, in: CheckpointNamespace(kept: ""), of: thread, user).row.metadata
            let known = try JSONDecoder().decode(Known.self, from: Data(kept.utf8))
            #expect(known.path == #"C:\u0000"# && known.text == "1e131000")
            #expect(kept.utf8.count < 1_000)
        }
    }

    @Test func `of which bytes are missing are said to be damaged, one by one and in lists`() async throws {
        try await withCheckpoints { store in
            let (user, whole, torn) = (UUID(), ThreadName.make(), ThreadName.make())
            let value = [UInt8](repeating: 7, count: 5_000)
            for (thread, id) in [(whole, CheckpointIDs.id(1)), (torn, CheckpointIDs.id(2))] {
                _ = try await store.put(.making(id, of: thread, [("a", "1", .new(.bytes(value)))]), of: user)
            }
            let number = try await store.number(of: torn, user)
            try await store.postgres.execute("DELETE FROM chat.checkpoint_segments WHERE thread = \(number) AND stream = 0", identity: .user(user))

            await #expect(throws: CheckpointError.damaged) { try await store.find(nil, in: CheckpointNamespace(kept: ""), of: torn, user) }
            await #expect(throws: CheckpointError.damaged) { try await store.page(CheckpointList(limit: 10), of: user) }
            #expect(CheckpointError.damaged.rpcError.code == .dataLoss)
            var list = CheckpointList(limit: 10)
            list.thread = try await store.number(of: whole, user)
            #expect(try await store.page(list, of: user).checkpoints.map { $0.channels.first?.value?.data } == [value])
        }
    }

    @Test func `are not read with more behind them than an answer takes, and can be deleted`() async throws {
        try await withCheckpoints { store in
            let (user, thread, id) = (UUID(), ThreadName.make(), CheckpointIDs.id(1))
            let (namespace, key) = (CheckpointNamespace(kept: ""), CheckpointKey(namespace: CheckpointNamespace(kept: ""), id: id))
            _ = try await store.put(.making(id, of: thread, [("a", "1", .new(.bytes([UInt8](repeating: 7, count: 3_000))))]), of: user)
            for task in ["one", "two"] {
                let write = PendingWrite(task: task, path: "path", index: 0, channel: "a", value: .bytes([UInt8](repeating: 0, count: 4_000)))
                try await store.put([write], of: task, path: "path", behind: key, in: thread, of: user)
            }
            let whole = try await store.find(id, in: namespace, of: thread, user)
            var small = store
            small.maxReadBytes = 10_999
            let narrow = small

            await #expect(throws: CheckpointError.tooLarge) { try await narrow.find(id, in: namespace, of: thread, user) }
            await #expect(throws: CheckpointError.tooLarge) { try await narrow.page(CheckpointList(limit: 10), of: user) }

            #expect(whole.writes.map(\.value.data.count) == [4_000, 4_000])
            #expect(CheckpointError.tooLarge.rpcError.code == .failedPrecondition)
            #expect(try await narrow.prune(thread, .delete, of: user) == 1)
        }
    }

    @Test func `that were deleted leave none of their bytes behind`() async throws {
        try await withCheckpoints { store in
            let (user, thread) = (UUID(), ThreadName.make())
            var ids = CheckpointIDs()
            let secret = Array("the secret of this checkpoint, which nobody shall find again".utf8)
            var list = [UInt8](repeating: 0, count: 3_000)
            var parent: UUID?
            for step in 0..<12 {
                let id = ids.make()
                if step == 4 { list += secret }
                list += (0..<500).map { UInt8(truncatingIfNeeded: $0 &* (step + 3)) }
                _ = try await store.put(
                    .making(
                        id, of: thread, after: parent, content: step == 4 ? String(decoding: secret, as: UTF8.self) : "content",
                        [("messages", "\(step)", .new(.bytes(list)))], metadata: "{\"run_id\": \"run \(step)\"}"), of: user)
                if step == 4 { list.removeLast(500 + secret.count) }
                parent = id
            }
            #expect(try await store.plainBytes(of: user).firstRange(of: secret) != nil)

            #expect(try await store.deleteRuns(["run 4", "run 99"], of: user) == 1)

            #expect(try await store.plainBytes(of: user).firstRange(of: secret) == nil)
            let page = try await store.page(CheckpointList(limit: 100), of: user)
            #expect(page.checkpoints.count == 11)
            #expect(page.checkpoints.first?.channels.first?.value?.data == list)
            // What came of it comes from nowhere.
            #expect(page.checkpoints.filter { $0.row.parent == nil }.map(\.row.id) == [CheckpointIDs.id(6), CheckpointIDs.id(1)])
        }
    }
}

extension CheckpointStore {
    func bytesKept(of user: UUID) async throws -> Int? {
        try await postgres.first(
            "SELECT coalesce(sum(octet_length(content)), 0)::bigint FROM chat.checkpoint_segments", as: Scalar<Int>.self,
            identity: .user(user))?.value
    }

    /// Everything that the tables have of a person's values, unpacked.
    func plainBytes(of user: UUID) async throws -> [UInt8] {
        let segments = try await postgres.rows(
            "SELECT \(SegmentHead.columns), content FROM chat.checkpoint_segments", as: Segment.self, identity: .user(user))
        return segments.flatMap { $0.bytes ?? [] }
    }
}

internal import Contracts
internal import RPC
internal import RecordTestSupport
internal import TestSupport
internal import Testing

@testable internal import Vectors

@Suite struct `An alias` {
    @Test func `leads every call to its collection, and answers say which that is`() async throws {
        try await withVectors { vectors in
            try await vectors.create("notes_1")
            let made = try await vectors.name("notes", for: "notes_1")
            #expect(made.created)
            #expect(made.alias?.collection == "notes_1")
            #expect(made.alias?.modelId == "test-model")
            #expect(try await vectors.name("notes", for: "notes_1").created == false)

            let upserted = try await vectors.upsert([.at([1, 0, 0], "a"), .at([0, 1, 0], "b")], in: "notes")
            let found = try await vectors.find(near: [1, 0, 0], in: "notes", limit: 1, minPosition: upserted.position)
            let byName = try await vectors.find(near: [1, 0, 0], in: "notes_1", limit: 1)
            let deleted = try await vectors.delete(["a"], from: "notes")
            let passing = try await vectors.delete(where: .exists("k"), from: "notes")

            #expect(found.matches.map(\.id) == ["a"])
            #expect(found.matches == byName.matches)
            #expect(
                Set([upserted.collection, found.collection, byName.collection, deleted.collection, passing.collection])
                    == ["notes_1"])
            #expect(try await vectors.collection("notes_1")?.documentCount == 1)
            #expect(try await vectors.listedAliases().map(\.name) == ["notes"])
        }
    }

    @Test func `and a collection do not have one name`() async throws {
        try await withVectors { vectors in
            try await vectors.create("first")
            try await vectors.create("second")
            try await vectors.name("alias", for: "first")

            await expect(.alreadyExists) { try await vectors.create("alias") }
            await expect(.alreadyExists) { try await vectors.name("second", for: "first") }
            await expect(.alreadyExists) { try await vectors.name("alias", for: "second") }
            // No alias leads to an alias.
            await expect(.notFound) { try await vectors.name("other", for: "alias") }
            await expect(.notFound) { try await vectors.point("nothing", to: "first") }
            await expect(.notFound) { try await vectors.point("alias", to: "nothing") }
            await expect(.invalidArgument, fields: ["name", "collection"]) { try await vectors.point("A", to: "B") }
        }
    }

    @Test func `has one of two that are made under its name at a time`() async throws {
        try await withVectors { vectors in
            try await vectors.create("target")
            for number in 0..<8 {
                let outcomes = await withTaskGroup(of: Bool.self) { group in
                    group.addTask { (try? await vectors.create("name_\(number)")) != nil }
                    group.addTask { (try? await vectors.name("name_\(number)", for: "target")) != nil }
                    return await group.reduce(into: []) { $0.append($1) }
                }

                #expect(outcomes.count { $0 } == 1)
            }
        }
    }

    @Test func `leads where it led once more after the database was set back`() async throws {
        try await withVectorsDatabase { database in
            try await database.withReplica { vectors in
                for name in ["notes_1", "notes_2"] { try await vectors.create(name) }
                try await vectors.name("notes", for: "notes_1")
                try await vectors.upsert([.at([1, 0, 0], "a")], in: "notes")
                try await vectors.point("notes", to: "notes_2")
                #expect(try await vectors.find(near: [1, 0, 0], in: "notes").collection == "notes_2")

                try await database.server.psql(
                    """
                    BEGIN; UPDATE vectors.aliases SET collection_id = previous_id, previous_id = NULL, position = 0 WHERE name = 'notes';
                    UPDATE vectors.collections SET position = 0 WHERE name = 'notes_2'; COMMIT
                    """, database: database.name)

                // Until the replica has looked it may wait for a position that is no more.
                try await until { (try? await vectors.find(near: [1, 0, 0], in: "notes"))?.collection == "notes_1" }
                // Its index was told of a position that the table does not have now. It is built anew once, and stays.
                try await until { try await vectors.index("notes_2").seen == 0 }
                let index = try await vectors.index("notes_2")
                for _ in 0..<20 { _ = try await vectors.find(near: [1, 0, 0], in: "notes") }
                try await vectors.upsert([.at([2, 0, 0], "b")], in: "notes_2")
                #expect(try await vectors.index("notes_2") === index)
            }
        }
    }

    @Test func `is there no more once it was deleted, and its collection is`() async throws {
        try await withVectors { vectors in
            try await vectors.create("notes_1")
            try await vectors.name("notes", for: "notes_1")
            try await vectors.upsert([.at([1, 0, 0], "a")], in: "notes")

            try await vectors.remove("notes")

            await expect(.notFound) { try await vectors.find(near: [1, 0, 0], in: "notes") }
            await expect(.notFound) { try await vectors.upsert([.at([1, 0, 0], "b")], in: "notes") }
            await expect(.notFound) { try await vectors.remove("notes") }
            #expect(try await vectors.find(near: [1, 0, 0], in: "notes_1").matches.count == 1)
        }
    }

    @Test func `may lead to a collection of the schema, whose table has what is written by it`() async throws {
        try await withVectorsDatabase { database in
            try await database.withReplica { vectors in
                let seed = SeedCollection.all[3]
                try await vectors.name("texts", for: seed.name)

                try await vectors.upsert([.at(.along(3, dimension: 768), "a")], in: "texts", model: seed.model)

                #expect(try await vectors.find(near: .along(3, dimension: 768), in: "texts", model: seed.model).matches.count == 1)
                await expect(.failedPrecondition) { try await vectors.deleteCollection(seed.name) }
                await expect(.alreadyExists) { try await vectors.name(seed.name, for: seed.name) }
            }
            #expect(try await database.server.psql("SELECT count(*) FROM vectors.medical_text_768", database: database.name) == "1")
            #expect(try await database.server.psql("SELECT count(*) FROM vectors.documents", database: database.name) == "0")
        }
    }
}

@Suite struct `An alias that begins to lead elsewhere` {
    @Test func `is answered from there, and by the model of before from what was before`() async throws {
        try await withVectors { vectors in
            try await vectors.makeBoth()
            let before = try await vectors.find(near: [1, 0, 0], in: "notes", model: "mini")

            let alias = try await vectors.point("notes", to: "notes_2")

            #expect((alias.collection, alias.modelId) == ("notes_2", "maxi"))
            #expect((alias.previousCollection, alias.previousModelId) == ("notes_1", "mini"))
            let after = try await vectors.find(near: [1, 0], in: "notes", model: "maxi")
            let late = try await vectors.find(near: [1, 0, 0], in: "notes", model: "mini")
            #expect((before.collection, late.collection, after.collection) == ("notes_1", "notes_1", "notes_2"))
            #expect(late.matches == before.matches)
            #expect(after.matches.map(\.id) == ["new"])
            // What is written would be where nobody looks for it soon.
            await expect(.invalidArgument, fields: ["model_id"]) {
                try await vectors.upsert([.at([1, 0, 0], "a")], in: "notes", model: "mini")
            }
            await expect(.invalidArgument, fields: ["model_id"]) {
                try await vectors.find(near: [1, 0, 0], in: "notes", minPosition: alias.position, model: "mini")
            }
            await expect(.invalidArgument, fields: ["model_id"]) {
                try await vectors.find(near: [1, 0, 0], in: "notes", model: "another")
            }
            #expect(try await vectors.point("notes", to: "notes_2") == alias)
        }
    }

    @Test func `does so on a replica that has not heard of it, for who demands its position or its model`() async throws {
        try await withVectorsDatabase { database in
            try await database.withReplica { vectors in
                try await vectors.makeBoth()
                // This one looks around at its start, and then not for long.
                try await database.withReplica(pollInterval: .seconds(3_600)) { elsewhere in
                    try await until { elsewhere.indexes.aliases.known(CollectionName(kept: "notes")) != nil }
                    #expect(try await elsewhere.find(near: [1, 0, 0], in: "notes", model: "mini").collection == "notes_1")

                    try await vectors.upsert([.at([0, 1], "newer")], in: "notes_2", model: "maxi")
                    let alias = try await vectors.point("notes", to: "notes_2")

                    #expect(elsewhere.indexes.aliases.known(CollectionName(kept: "notes"))?.target.name.text == "notes_1")
                    let found = try await elsewhere.find(
                        near: [1, 0], in: "notes", minPosition: alias.position, model: "maxi")
                    #expect(found.collection == "notes_2")
                    #expect(found.position >= alias.position)
                    #expect(elsewhere.indexes.aliases.known(CollectionName(kept: "notes"))?.target.name.text == "notes_2")
                    try await vectors.point("notes", to: "notes_1")
                    let written = try await elsewhere.upsert([.at([0, 0, 1], "late")], in: "notes", model: "mini")
                    #expect(written.collection == "notes_1")
                    #expect(try await elsewhere.find(near: [1, 0, 0], in: "notes", minPosition: written.position, model: "mini").collection == "notes_1")
                }
            }
        }
    }

    @Test func `is answered elsewhere with all that was there then, whatever that replica had followed`() async throws {
        try await withVectorsDatabase { database in
            try await database.withReplica { vectors in
                try await vectors.makeBoth()
                try await database.withReplica(pollInterval: .seconds(3_600)) { elsewhere in
                    _ = try await elsewhere.untilBuilt("notes_2")
                    try await vectors.upsert([.at([0, 1], "newer")], in: "notes_2", model: "maxi")
                    try await vectors.point("notes", to: "notes_2")

                    let found = try await elsewhere.find(near: [0, 1], in: "notes", model: "maxi")

                    #expect(found.matches.map(\.id) == ["newer", "new"])
                }
            }
        }
    }

    @Test func `is followed by every replica, and by one that starts later`() async throws {
        try await withVectorsDatabase { database in
            try await database.withReplica { vectors in
                try await database.withReplica { elsewhere in
                    try await vectors.makeBoth()
                    let old = try await vectors.upsert([.at([0, 1, 0], "more")], in: "notes", model: "mini").position
                    let alias = try await vectors.point("notes", to: "notes_2")

                    try await until { elsewhere.indexes.aliases.known(CollectionName(kept: "notes"))?.target.name.text == "notes_2" }
                    try await until { elsewhere.indexes.known(CollectionName(kept: "notes_2"))?.seen == alias.position }
                    // What a caller knew of the collection before is no more than what there is now.
                    #expect(alias.position > old)
                    #expect(try await elsewhere.find(near: [1, 0], in: "notes", minPosition: old, model: "maxi").collection == "notes_2")
                }
            }
            try await database.withReplica { later in
                let alias = try #require(try await later.listedAliases().first)
                let found = try await later.find(near: [1, 0], in: "notes", minPosition: alias.position, model: "maxi")
                #expect(found.collection == "notes_2")
                let index = try await later.untilBuilt("notes_2")
                #expect(index.seen == alias.position)
            }
        }
    }

    @Test func `has each write in one of the two, and none in the old one once it has moved`() async throws {
        try await withVectorsDatabase { database in
            try await database.withReplica { vectors in
                try await database.withReplica { elsewhere in
                    for name in ["notes_1", "notes_2"] { try await vectors.create(name) }
                    try await vectors.name("notes", for: "notes_1")

                    let collections = try await withThrowingTaskGroup(of: (String, String).self) { group in
                        for number in 0..<60 {
                            group.addTask {
                                let replica = number % 2 == 0 ? vectors : elsewhere
                                let answer = try await replica.upsert([.at([Float(number), 1, 0], "\(number)")], in: "notes")
                                return ("\(number)", answer.collection)
                            }
                            if number == 30 { group.addTask { ("", try await vectors.point("notes", to: "notes_2").collection) } }
                        }
                        return try await group.reduce(into: [String: String]()) { $0[$1.0] = $1.1 }
                    }
                    let position = try await vectors.collection("notes_1")?.position
                    for number in 60..<70 {
                        let answer = try await elsewhere.upsert([.at([Float(number), 1, 0], "\(number)")], in: "notes")
                        #expect(answer.collection == "notes_2")
                    }

                    for (id, collection) in collections where !id.isEmpty {
                        let rows = try await database.server.psql(
                            "SELECT c.name FROM vectors.documents d JOIN vectors.collections c ON c.id = d.collection_id WHERE d.id = '\(id)'",
                            database: database.name)
                        #expect(rows == collection)
                    }
                    #expect(try await vectors.collection("notes_1")?.position == position)
                }
            }
        }
    }

    @Test func `stays where it is if the collection has gone on since it was copied`() async throws {
        try await withVectors { vectors in
            try await vectors.makeBoth()
            let copied = try #require(try await vectors.collection("notes_1")).position
            try await vectors.upsert([.at([0, 0, 1], "late")], in: "notes", model: "mini")

            await expect(.failedPrecondition) { try await vectors.point("notes", to: "notes_2", copied: copied) }
            #expect(try await vectors.find(near: [1, 0, 0], in: "notes", model: "mini").collection == "notes_1")
            #expect(try await vectors.point("notes", to: "notes_2", copied: copied + 1).collection == "notes_2")
            await expect(.invalidArgument, fields: ["copied_position"]) {
                try await vectors.point("notes", to: "notes_1", copied: -1)
            }
        }
    }
}

@Suite struct `A collection that is deleted` {
    @Test func `has no alias that leads to it, and is gone from tables and replicas`() async throws {
        try await withVectorsDatabase { database in
            try await database.withReplica { vectors in
                try await database.withReplica { elsewhere in
                    try await vectors.makeBoth()
                    await expect(.failedPrecondition) { try await vectors.deleteCollection("notes_1") }
                    await expect(.failedPrecondition) { try await vectors.deleteCollection("notes") }
                    try await vectors.point("notes", to: "notes_2")

                    let deleted = try await vectors.deleteCollection("notes_1")

                    #expect((deleted.deletedCount, deleted.collection) == (1, "notes_1"))
                    await expect(.notFound) { try await vectors.deleteCollection("notes_1") }
                    await expect(.notFound) { try await vectors.find(near: [1, 0, 0], in: "notes_1", model: "mini") }
                    try await until { elsewhere.indexes.known(CollectionName(kept: "notes_1")) == nil }
                    // Nothing has the model of before any more.
                    try await until { elsewhere.indexes.aliases.known(CollectionName(kept: "notes"))?.previous == nil }
                    await expect(.invalidArgument, fields: ["model_id"]) {
                        try await elsewhere.find(near: [1, 0, 0], in: "notes", model: "mini")
                    }
                    #expect(try await elsewhere.find(near: [1, 0], in: "notes", model: "maxi").matches.map(\.id) == ["new"])
                    let rows = try await database.server.psql(
                        "SELECT count(*) FROM vectors.documents WHERE id = 'old'", database: database.name)
                    #expect(rows == "0")

                    try await vectors.create("notes_1", dimension: 3, model: "third")
                    await expect(.notFound) { try await vectors.deleteCollection("nothing") }
                    #expect(try await vectors.find(near: [1, 0, 0], in: "notes_1", model: "third").matches.isEmpty)
                }
            }
        }
    }

    @Test func `is not found by searches of a replica that has not heard of it`() async throws {
        try await withVectorsDatabase { database in
            try await database.withReplica { vectors in
                try await vectors.create("notes")
                try await vectors.upsert([.at([1, 0, 0], "a")], in: "notes")
                try await database.withReplica(pollInterval: .seconds(3_600)) { elsewhere in
                    _ = try await elsewhere.untilBuilt("notes")
                    try await vectors.deleteCollection("notes")

                    await expect(.notFound) { try await elsewhere.find(near: [1, 0, 0], in: "notes") }
                    await expect(.notFound) { try await elsewhere.upsert([.at([1, 0, 0], "b")], in: "notes") }
                }
            }
        }
    }
}

extension VectorsService {
    /// A collection with an alias, and another of another model and dimension, with a document each.
    fileprivate func makeBoth() async throws {
        try await create("notes_1", dimension: 3, model: "mini")
        try await create("notes_2", dimension: 2, model: "maxi")
        try await name("notes", for: "notes_1")
        try await upsert([.at([1, 0, 0], "old")], in: "notes", model: "mini")
        try await upsert([.at([1, 0], "new")], in: "notes_2", model: "maxi")
    }
}

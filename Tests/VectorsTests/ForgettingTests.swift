internal import Contracts
internal import Foundation
internal import RPC
internal import RecordTestSupport
internal import Testing

@testable internal import Vectors

@Suite struct `What Chat has forgotten` {
    private func forget(_ request: VectorsV1.ForgetMemoriesRequest, of person: Person) async throws -> Int32 {
        let context = RPCContext(method: VectorsV1.ForgettingServiceMethods.forgetMemories.descriptor)
        return try await ForgettingService(memories: person.service.memories).forgetMemories(request, context: context).deletedCount
    }

    @Test func `is forgotten by its person's ids, and nothing else is`() async throws {
        try await withVectorsDatabase { database in
            try await database.withClient { postgres in
                let (ada, bob) = (Person(postgres), Person(postgres))
                for person in [ada, bob] { try await person.keep([.at(1, "a"), .at(2, "b"), .at(3, "c")]) }
                let request = VectorsV1.ForgetMemoriesRequest(userId: ada.id.uuidString.lowercased(), ids: ["a", "c", "never there"])

                #expect(try await forget(request, of: ada) == 2)
                // Doing it again changes nothing.
                #expect(try await forget(request, of: ada) == 0)

                #expect(try await ada.find(near: .along(1)).matches.map(\.memory?.id) == ["b"])
                #expect(try await bob.list().memories.map(\.id) == ["a", "b", "c"])
            }
        }
    }

    @Test func `is named by whose and which it is`() async throws {
        try await withVectorsDatabase { database in
            try await database.withClient { postgres in
                let ada = Person(postgres)
                await expect(.invalidArgument, fields: ["user_id", "ids"]) { try await forget(.init(userId: "x"), of: ada) }
                await expect(.invalidArgument, fields: ["ids[1]"]) {
                    try await forget(.init(userId: ada.id.uuidString, ids: ["a", ""]), of: ada)
                }
            }
        }
    }
}

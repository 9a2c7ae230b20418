internal import Contracts
internal import RPC
internal import RecordTestSupport
internal import Testing

@testable internal import Chat

@Suite struct `The list of a session's messages` {
    @Test func `in pages holds every message once, in order`() async throws {
        try await withChat { chat in
            let ada = Caller()
            let id = try await chat.open(for: ada)
            _ = try await chat.appendMessages(
                .init(sessionId: id, messages: (1...12).map { .saying("\($0)") }), context: ada.context)

            var sequences: [[Int64]] = []
            var token = ""
            repeat {
                let page = try await chat.listMessages(
                    .init(sessionId: id, pageSize: 5, pageToken: token), context: ada.context)
                sequences.append(page.messages.map(\.sequence))
                token = page.nextPageToken
            } while !token.isEmpty

            #expect(sequences == [[1, 2, 3, 4, 5], [6, 7, 8, 9, 10], [11, 12]])
        }
    }

    @Test func `goes from the last message back, through the archive too, and no further than is asked`() async throws {
        try await withChat { chat in
            let ada = Caller()
            let id = try await chat.open(for: ada)
            func say(_ numbers: ClosedRange<Int>) async throws {
                _ = try await chat.appendMessages(.init(sessionId: id, messages: numbers.map { .saying("\($0)") }), context: ada.context)
            }
            func sequences(newestFirst: Bool, upTo last: Int64 = 0, pages size: Int32 = 4) async throws -> [Int64] {
                var sequences: [Int64] = []
                var token = ""
                repeat {
                    let page = try await chat.listMessages(
                        .init(sessionId: id, pageSize: size, pageToken: token, newestFirst: newestFirst, lastSequence: last),
                        context: ada.context)
                    sequences += page.messages.map(\.sequence)
                    token = page.nextPageToken
                } while !token.isEmpty
                return sequences
            }
            try await say(1...10)
            #expect(try await sequences(newestFirst: true) == (1...10).reversed())
            _ = try await chat.archiveSession(.init(sessionId: id), context: ada.context)
            try await say(11...15)

            #expect(try await sequences(newestFirst: true) == (1...15).reversed())
            #expect(try await sequences(newestFirst: true, upTo: 12) == (1...12).reversed())
            #expect(try await sequences(newestFirst: true, upTo: 7) == (1...7).reversed())
            #expect(try await sequences(newestFirst: false, upTo: 12) == Array(1...12))
            #expect(try await sequences(newestFirst: false, upTo: 7, pages: 100) == Array(1...7))

            let token = try await chat.listMessages(.init(sessionId: id, pageSize: 4), context: ada.context).nextPageToken
            await expect(.invalidArgument, fields: ["page_token"]) {
                try await chat.listMessages(.init(sessionId: id, pageToken: token, newestFirst: true), context: ada.context)
            }
            await expect(.invalidArgument, fields: ["last_sequence"]) {
                try await chat.listMessages(.init(sessionId: id, lastSequence: -1), context: ada.context)
            }
        }
    }

    @Test func `ends a page before it outgrows an answer`() async throws {
        try await withChat { chat in
            let ada = Caller()
            let id = try await chat.open(for: ada)
            // 400 kB each: seven of them fit into a page.
            let long = String(repeating: "😀", count: 100_000)
            for place in 1...9 {
                _ = try await chat.appendMessages(
                    .init(sessionId: id, messages: [.saying(long, as: "\(place)")]), context: ada.context)
            }

            let first = try await chat.listMessages(.init(sessionId: id), context: ada.context)
            let second = try await chat.listMessages(
                .init(sessionId: id, pageToken: first.nextPageToken), context: ada.context)

            #expect(first.messages.map(\.sequence) == Array(1...7))
            #expect(second.messages.map(\.sequence) == [8, 9])
            #expect(second.nextPageToken == "")
        }
    }

    @Test func `ends a page before what is kept with messages outgrows an answer`() async throws {
        try await withChat { chat in
            let ada = Caller()
            let id = try await chat.open(for: ada)
            // 16 kB of JSON, which take 88 kB of an answer.
            let notes = GoogleProtobuf.Struct.zeros(8_000)
            _ = try await chat.appendMessages(
                .init(sessionId: id, messages: (1...60).map { .saying("\($0)", with: notes) }), context: ada.context)

            for newestFirst in [false, true] {
                var sequences: [Int64] = []
                var token = ""
                repeat {
                    let page = try await chat.listMessages(
                        .init(sessionId: id, pageSize: 100, pageToken: token, newestFirst: newestFirst), context: ada.context)
                    #expect(try page.serialized().count < 4 << 20)
                    sequences += page.messages.map(\.sequence)
                    token = page.nextPageToken
                } while !token.isEmpty
                #expect((newestFirst ? sequences.reversed() : sequences) == Array(1...60))
            }
        }
    }

    @Test func `of a session without messages is empty`() async throws {
        try await withChat { chat in
            let ada = Caller()
            let id = try await chat.open(for: ada)

            let list = try await chat.listMessages(.init(sessionId: id), context: ada.context)

            #expect(list.messages == [])
            #expect(list.nextPageToken == "")
        }
    }

    @Test func `refuses a page size out of bounds and the token of another session`() async throws {
        try await withChat { chat in
            let ada = Caller()
            let (one, other) = (try await chat.open(for: ada), try await chat.open(for: ada))
            _ = try await chat.appendMessages(
                .init(sessionId: one, messages: [.saying("1"), .saying("2")]), context: ada.context)
            let page = try await chat.listMessages(.init(sessionId: one, pageSize: 1), context: ada.context)

            await expect(.invalidArgument, fields: ["page_size"]) {
                try await chat.listMessages(.init(sessionId: one, pageSize: -1), context: ada.context)
            }
            await expect(.invalidArgument, fields: ["page_token"]) {
                try await chat.listMessages(.init(sessionId: other, pageToken: page.nextPageToken), context: ada.context)
            }
        }
    }
}

import RPC
import Testing

@Suite struct `A unary call` {
    @Test func `is answered with what the handler returns`() async throws {
        let answer = try await withLoopback([.unary(Notes.say) { note, _ in Note("you said \(note.text)") }]) {
            try await $0.channel.unary(Notes.say, "hello")
        }

        #expect(answer == "you said hello")
    }

    @Test func `carries metadata there, back and behind the status`() async throws {
        let handler = MethodHandler.unary(Notes.say) { note, context in
            context.responseMetadata.set("x-before", context.metadata["x-question"] ?? "none")
            context.trailingMetadata.add("sum-bin", binary: (context.metadata.binary(for: "bytes-bin") ?? []).reversed())
            return note
        }

        let response = try await withLoopback([handler]) {
            var metadata: Metadata = ["x-question": "why, and how"]
            metadata.add("bytes-bin", binary: [0, 1, 254, 255])
            return try await $0.channel.unaryResponse(Notes.say, "a", options: .init(metadata: metadata))
        }

        #expect(response.metadata["x-before"] == "why, and how")
        #expect(response.trailers.binary(for: "sum-bin") == [255, 254, 1, 0])
    }

    @Test(arguments: StatusCode.allCases.filter { $0 != .ok })
    func `ends with the status that the handler throws`(code: StatusCode) async throws {
        let handler = MethodHandler.unary(Notes.say) { _, _ in
            throw RPCError(code, "100 % sicher: ärgerlich\n", details: [8, 5, 0, 255], trailers: ["x-more": "here"])
        }

        let error = try await withLoopback([handler]) { loopback in
            await #expect(throws: RPCError.self) { try await loopback.channel.unary(Notes.say, "a") }
        }

        #expect(error?.code == code)
        #expect(error?.message == "100 % sicher: ärgerlich\n")
        #expect(error?.details == [8, 5, 0, 255])
        #expect(error?.trailers["x-more"] == "here")
    }

    @Test(arguments: [["x-more": "é"], ["x-more": "a\u{0}b"], ["X More": "a"], ["grpc-status": "0"]] as [Metadata])
    func `ends with INTERNAL when the handler's error has metadata that cannot be sent, and its connection goes on`(trailers: Metadata) async throws {
        let handlers = [
            MethodHandler.unary(Notes.say) { note, _ in
                if note.text == "fail" { throw RPCError(.notFound, "Nothing is there.", trailers: trailers) }
                return note
            }
        ]

        try await withLoopback(handlers) { loopback in
            let error = await #expect(throws: RPCError.self) { try await loopback.channel.unary(Notes.say, "fail") }
            #expect(error?.code == .internalError)
            #expect(error?.trailers.isEmpty == true)
            let next = try await loopback.channel.unary(Notes.say, "still here")
            #expect(next == "still here")
        }
    }

    @Test func `ends with its status although the details are more than metadata has room for`() async throws {
        let handler = MethodHandler.unary(Notes.say) { _, _ in
            throw RPCError(.invalidArgument, "Wrong.", details: [UInt8](repeating: 7, count: 200_000))
        }

        let error = try await withLoopback([handler]) { loopback in
            await #expect(throws: RPCError.self) { try await loopback.channel.unary(Notes.say, "a") }
        }

        #expect(error?.code == .invalidArgument)
        #expect(error?.message == "Wrong.")
        #expect(error?.details == [])
    }

    @Test func `whose answer has more metadata than can be sent is INTERNAL`() async throws {
        let handler = MethodHandler.unary(Notes.say) { note, context in
            context.responseMetadata.set("x-large", String(repeating: "a", count: 100_000))
            return note
        }

        let error = try await withLoopback([handler]) { loopback in
            await #expect(throws: RPCError.self) { try await loopback.channel.unary(Notes.say, "a") }
        }

        #expect(error?.code == .internalError)
    }

    @Test func `keeps a message that begins and ends with spaces, and metadata without them`() async throws {
        let handler = MethodHandler.unary(Notes.say) { _, context in
            context.trailingMetadata.set("x-back", context.metadata["x-there"].map { " \($0)." } ?? "nothing")
            throw RPCError(.notFound, " Not here. ")
        }

        let error = try await withLoopback([handler]) { loopback in
            await #expect(throws: RPCError.self) {
                try await loopback.channel.unary(Notes.say, "a", options: .init(metadata: ["x-there": "  a b "]))
            }
        }

        #expect(error?.message == " Not here. ")
        #expect(error?.trailers["x-back"] == "a b.")
    }

    @Test func `hides an error that was not meant for the caller`() async throws {
        struct Secret: Error { let password = "hunter2" }
        let handler = MethodHandler.unary(Notes.say) { _, _ in throw Secret() }

        let error = try await withLoopback([handler]) { loopback in
            await #expect(throws: RPCError.self) { try await loopback.channel.unary(Notes.say, "a") }
        }

        #expect(error?.code == .unknown)
        #expect(error?.message.contains("hunter2") == false)
    }

    @Test func `of a method that nobody offers is UNIMPLEMENTED`() async throws {
        let error = try await withLoopback([NotesService.echo]) { loopback in
            await #expect(throws: RPCError.self) {
                try await loopback.channel.unary(Notes.method("Missing", .unary), "a")
            }
        }

        #expect(error?.code == .unimplemented)
        #expect(error?.message == "The service test.Notes has no method Missing.")
    }

    @Test func `with bytes that are no message is refused without reaching the handler`() async throws {
        let error = try await withLoopback([NotesService.echo]) { loopback in
            await #expect(throws: RPCError.self) { try await loopback.channel.unary(Notes.say, "unreadable") }
        }

        #expect(error?.code == .internalError)
    }

    @Test func `refuses metadata that belongs to the protocol`() async throws {
        let error = try await withLoopback([NotesService.echo]) { loopback in
            await #expect(throws: RPCError.self) {
                try await loopback.channel.unary(Notes.say, "a", options: .init(metadata: ["grpc-status": "0"]))
            }
        }

        #expect(error?.code == .internalError)
    }

    @Test func `shares one connection with a thousand others`() async throws {
        let answers = try await withLoopback([NotesService.echo]) { loopback in
            try await withThrowingTaskGroup { group in
                for number in 0..<1_000 {
                    group.addTask { try await loopback.channel.unary(Notes.say, Note("\(number)")).text }
                }
                return try await group.reduce(into: Set<String>()) { $0.insert($1) }
            }
        }

        #expect(answers.count == 1_000)
    }

    @Test func `may be answered on threads of the server's own`() async throws {
        let answer = try await withLoopback([NotesService.echo], server: { $0.eventLoopThreads = 2 }) {
            try await $0.channel.unary(Notes.say, "a")
        }

        #expect(answer == "a")
    }

    @Test func `may be made on several connections at once`() async throws {
        let answers = try await withLoopback([NotesService.echo], channel: { $0.connections = 4 }) { loopback in
            try await withThrowingTaskGroup { group in
                for number in 0..<200 {
                    group.addTask { try await loopback.channel.unary(Notes.say, Note("\(number)")).text }
                }
                return try await group.reduce(into: Set<String>()) { $0.insert($1) }
            }
        }

        #expect(answers.count == 200)
    }
}

@Suite struct `The size of a message` {
    @Test func `may reach the receiver's limit`() async throws {
        let text = String(repeating: "a", count: 1_000)

        let answer = try await withLoopback([NotesService.echo], server: { $0.maxReceiveMessageBytes = 1_000 }) {
            try await $0.channel.unary(Notes.say, Note(text))
        }

        #expect(answer.text == text)
    }

    @Test func `ends the call alone when it is one byte too large for the server`() async throws {
        let text = String(repeating: "a", count: 1_001)

        try await withLoopback([NotesService.echo], server: { $0.maxReceiveMessageBytes = 1_000 }) { loopback in
            let error = await #expect(throws: RPCError.self) { try await loopback.channel.unary(Notes.say, Note(text)) }
            #expect(error?.code == .resourceExhausted)
            let next = try await loopback.channel.unary(Notes.say, "still here")
            #expect(next == "still here")
        }
    }

    @Test func `is refused before sending when it is one byte too large for the server to send`() async throws {
        let handler = MethodHandler.unary(Notes.say) { note, _ in Note(note.text + "!") }

        let error = try await withLoopback([handler], server: { $0.maxSendMessageBytes = 1_000 }) { loopback in
            _ = try await loopback.channel.unary(Notes.say, Note(String(repeating: "a", count: 999)))
            return await #expect(throws: RPCError.self) {
                try await loopback.channel.unary(Notes.say, Note(String(repeating: "a", count: 1_000)))
            }
        }

        #expect(error?.code == .resourceExhausted)
    }

    @Test func `is refused by the client that receives one byte too many`() async throws {
        let handler = MethodHandler.unary(Notes.say) { note, _ in Note(note.text + "!") }

        try await withLoopback([handler], channel: { $0.maxReceiveMessageBytes = 1_000 }) { loopback in
            _ = try await loopback.channel.unary(Notes.say, Note(String(repeating: "a", count: 999)))
            let error = await #expect(throws: RPCError.self) {
                try await loopback.channel.unary(Notes.say, Note(String(repeating: "a", count: 1_000)))
            }
            #expect(error?.code == .resourceExhausted)
            let next = try await loopback.channel.unary(Notes.say, "still here")
            #expect(next == "still here!")
        }
    }

    @Test func `may be many times that of the flow-control window`() async throws {
        let text = String(repeating: "abcdefgh", count: 400_000)

        let answer = try await withLoopback(
            [NotesService.echo],
            server: { $0.streamWindowBytes = 65_535 },
            channel: { $0.streamWindowBytes = 65_535 }
        ) { try await $0.channel.unary(Notes.say, Note(text)) }

        #expect(answer.text == text)
    }

    @Test func `of metadata is limited too`() async throws {
        try await withLoopback([NotesService.echo], server: { $0.maxMetadataBytes = 4_096 }) { loopback in
            let error = await #expect(throws: RPCError.self) {
                let metadata: Metadata = ["x-big": String(repeating: "a", count: 4_096)]
                return try await loopback.channel.unary(Notes.say, "a", options: .init(metadata: metadata))
            }
            #expect(error?.code == .resourceExhausted)
            let next = try await loopback.channel.unary(Notes.say, "still here")
            #expect(next == "still here")
        }
    }
}

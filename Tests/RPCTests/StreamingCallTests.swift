import RPC
import Testing

@Suite struct `A streaming call` {
    @Test func `of the server delivers every message in order and then its end`() async throws {
        let handler = MethodHandler.serverStreaming(Notes.list) { note, responses, context in
            context.responseMetadata.set("x-before", "yes")
            context.trailingMetadata.set("x-after", "yes")
            for number in 0..<500 { try await responses.write(Note("\(note.text)\(number)")) }
        }

        let (texts, before, after) = try await withLoopback([handler]) {
            try await $0.channel.serverStreaming(Notes.list, "n") { responses in
                var texts: [String] = []
                for try await response in responses { texts.append(response.text) }
                return (texts, responses.metadata["x-before"], responses.trailers["x-after"])
            }
        }

        #expect(texts == (0..<500).map { "n\($0)" })
        #expect(before == "yes")
        #expect(after == "yes")
    }

    @Test func `delivers what was sent before it failed, then the failure`() async throws {
        let handler = MethodHandler.serverStreaming(Notes.list) { _, responses, _ in
            for text in ["a", "b", "c"] { try await responses.write(Note(text)) }
            throw RPCError(.dataLoss, "The rest is gone.")
        }

        let (texts, error) = try await withLoopback([handler]) {
            try await $0.channel.serverStreaming(Notes.list, "") { responses in
                var texts: [String] = []
                do {
                    for try await response in responses { texts.append(response.text) }
                    return (texts, RPCError?.none)
                } catch let error as RPCError {
                    return (texts, error)
                }
            }
        }

        #expect(texts == ["a", "b", "c"])
        #expect(error?.code == .dataLoss)
    }

    @Test(arguments: [("unreadable", StatusCode.internalError), ("too deep", .invalidArgument)])
    func `and one of a single request say the same of a request that cannot be read`(_ text: String, _ code: StatusCode) async throws {
        let handlers = [
            MethodHandler.unary(Notes.say) { note, _ in note },
            .clientStreaming(Notes.collect) { requests, _ in
                for try await _ in requests {}
                return Note("")
            },
            .bidirectional(Notes.chat) { requests, responses, _ in
                for try await note in requests { try await responses.write(note) }
            },
        ]
        let errors = try await withLoopback(handlers) { loopback in
            let channel = loopback.channel
            return await [
                #expect(throws: RPCError.self) { try await channel.unary(Notes.say, Note(text)) },
                #expect(throws: RPCError.self) {
                    try await channel.clientStreaming(Notes.collect) { try await $0.write(Note(text)) }
                },
                #expect(throws: RPCError.self) {
                    try await channel.bidirectional(Notes.chat) { requests, responses in
                        try await requests.write(Note(text))
                        for try await _ in responses {}
                    }
                },
            ]
        }

        #expect(errors.map(\.?.code) == [code, code, code])
        #expect(Set(errors.map(\.?.message)).count == 1)
    }

    @Test func `whose answer the client cannot read fails inside, whatever is wrong with it`() async throws {
        let handler = MethodHandler.serverStreaming(Notes.list) { note, responses, _ in
            try await responses.write(Note(note.text == "deep" ? "too deep" : "unreadable"))
        }
        for text in ["deep", "no message"] {
            let error = try await withLoopback([handler]) { loopback in
                await #expect(throws: RPCError.self) {
                    try await loopback.channel.serverStreaming(Notes.list, Note(text)) { for try await _ in $0 {} }
                }
            }
            #expect(error?.code == .internalError)
        }
    }

    @Test func `of the client hands over every message and is answered once`() async throws {
        let handler = MethodHandler.clientStreaming(Notes.collect) { requests, _ in
            var all = ""
            for try await note in requests { all += note.text }
            return Note(all)
        }

        let answer = try await withLoopback([handler]) {
            try await $0.channel.clientStreaming(Notes.collect) { requests in
                for number in 0..<200 { try await requests.write(Note("\(number),")) }
            }
        }

        #expect(answer.message.text == (0..<200).map { "\($0)," }.joined())
    }

    @Test func `of the client may be answered before its last message`() async throws {
        let handler = MethodHandler.clientStreaming(Notes.collect) { requests, _ in
            var iterator = requests.makeAsyncIterator()
            return try await iterator.next() ?? "nothing"
        }

        let answer = try await withLoopback([handler]) {
            try await $0.channel.clientStreaming(Notes.collect) { requests in
                while true { try await requests.write("first") }
            }
        }

        #expect(answer.message == "first")
    }

    @Test func `of the client ends with the error that its writer throws`() async throws {
        struct Stuck: Error {}
        let handler = MethodHandler.clientStreaming(Notes.collect) { requests, _ in
            for try await _ in requests {}
            return "done"
        }

        let error = try await withLoopback([handler]) { loopback in
            await #expect(throws: RPCError.self) {
                try await loopback.channel.clientStreaming(Notes.collect) { requests in
                    try await requests.write("a")
                    throw Stuck()
                }
            }
        }

        #expect(error?.cause is Stuck)
    }

    @Test func `in both directions is a conversation`() async throws {
        let handler = MethodHandler.bidirectional(Notes.chat) { requests, responses, _ in
            for try await note in requests { try await responses.write(Note("re: \(note.text)")) }
        }

        let last = try await withLoopback([handler]) {
            try await $0.channel.bidirectional(Notes.chat) { requests, responses in
                var iterator = responses.makeAsyncIterator()
                var text = "a"
                for _ in 0..<50 {
                    try await requests.write(Note(text))
                    text = try await iterator.next()?.text ?? "gone"
                }
                requests.finish()
                let end = try await iterator.next()
                #expect(end == nil)
                return text
            }
        }

        #expect(last == String(repeating: "re: ", count: 50) + "a")
    }

    @Test func `is cancelled at the server when its reader leaves early`() async throws {
        let cancelled = Signal()
        let handler = MethodHandler.serverStreaming(Notes.list) { _, responses, _ in
            do {
                while true { try await responses.write("more") }
            } catch {
                cancelled.fire()
                throw error
            }
        }

        try await withLoopback([handler]) { loopback in
            try await loopback.channel.serverStreaming(Notes.list, "") { responses in
                for try await _ in responses { break }
            }
            await cancelled.wait()
        }
    }

    @Test func `with more than one request for a method that takes one is UNIMPLEMENTED`() async throws {
        let error = try await withLoopback([NotesService.echo]) { loopback in
            await #expect(throws: RPCError.self) {
                try await loopback.channel.clientStreaming(Notes.method("Say", .clientStreaming)) { requests in
                    try await requests.write("a")
                    try await requests.write("b")
                }
            }
        }

        #expect(error?.code == .unimplemented)
    }

    @Test func `with no request for a method that takes one is UNIMPLEMENTED`() async throws {
        let error = try await withLoopback([NotesService.echo]) { loopback in
            await #expect(throws: RPCError.self) {
                try await loopback.channel.clientStreaming(Notes.method("Say", .clientStreaming)) { _ in }
            }
        }

        #expect(error?.code == .unimplemented)
    }
}

@Suite struct `A slow reader` {
    private static let big = Note(String(repeating: "x", count: 10_000))

    @Test func `holds a writing server back, and loses nothing`() async throws {
        let written = Counter()
        let handler = MethodHandler.serverStreaming(Notes.list) { _, responses, _ in
            for _ in 0..<1_000 {
                try await responses.write(Self.big)
                written.increment()
            }
        }

        // The window does not grow meanwhile, so it does not matter how late the reader's task runs.
        let (whenFirstWasRead, count) = try await withLoopback(
            [handler],
            channel: {
                $0.streamWindowBytes = 65_535
                $0.maxStreamWindowBytes = 65_535
            }
        ) {
            try await $0.channel.serverStreaming(Notes.list, "") { responses in
                var iterator = responses.makeAsyncIterator()
                _ = try await iterator.next()
                let early = written.value
                var count = 1
                while try await iterator.next() != nil { count += 1 }
                return (early, count)
            }
        }

        // The window, the bytes that may wait at either end, and what the reader had taken: far from ten megabytes.
        #expect(whenFirstWasRead < 100)
        #expect(count == 1_000)
    }

    @Test func `holds a writing client back, and loses nothing`() async throws {
        let written = Counter()
        let mayRead = Signal()
        let handler = MethodHandler.clientStreaming(Notes.collect) { requests, _ in
            await mayRead.wait()
            var count = 0
            for try await _ in requests { count += 1 }
            return Note("\(count)")
        }

        let answer = try await withLoopback([handler], server: { $0.streamWindowBytes = 65_535 }) {
            try await $0.channel.clientStreaming(Notes.collect) { requests in
                try await withThrowingTaskGroup { group in
                    group.addTask {
                        for _ in 0..<1_000 {
                            try await requests.write(Self.big)
                            written.increment()
                        }
                    }
                    while written.value == 0 { await Task.yield() }
                    mayRead.fire()
                    try await group.waitForAll()
                }
            }
        }

        #expect(answer.message == "1000")
    }

    @Test func `holds a writing client back whose messages are empty`() async throws {
        let written = Counter()
        let mayRead = Signal()
        let handler = MethodHandler.clientStreaming(Notes.collect) { requests, _ in
            await mayRead.wait()
            var count = 0
            for try await _ in requests { count += 1 }
            return Note("\(count)")
        }

        let answer = try await withLoopback(
            [handler],
            server: {
                $0.streamWindowBytes = 65_535
                $0.maxStreamWindowBytes = 65_535
            }
        ) {
            try await $0.channel.clientStreaming(Notes.collect) { requests in
                try await withThrowingTaskGroup { group in
                    group.addTask {
                        for _ in 0..<100_000 {
                            try await requests.write("")
                            written.increment()
                        }
                    }
                    // Until the writer stands still.
                    var before = 0
                    repeat {
                        before = written.value
                        try await Task.sleep(for: .milliseconds(500))
                    } while written.value != before
                    // Of five bytes each: the window and a half at the server, and what may wait at the client.
                    #expect(before < 50_000)
                    mayRead.fire()
                    try await group.waitForAll()
                }
            }
        }

        #expect(answer.message == "100000")
    }
}

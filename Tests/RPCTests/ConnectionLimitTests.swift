import NIOCore
import NIOEmbedded
import Testing

@testable import RPC

@Suite struct `A server that has as many connections as it may` {
    @Test func `closes another, says so once, and takes one again when one has ended`() throws {
        let lines = LogLines()
        let counts = OpenConnections(most: 1)
        let listener = EmbeddedChannel(handler: ConnectionLimit(counts, logger: lines.logger))
        let connections = (0..<4).map { _ in EmbeddedChannel() }
        func isTaken(_ connection: EmbeddedChannel) throws -> Bool {
            try listener.writeInbound(connection as any Channel)
            return try listener.readInbound(as: (any Channel).self) != nil
        }

        let taken = try connections.prefix(3).map(isTaken)
        _ = try connections[0].finish()
        let isTakenLater = try isTaken(connections[3])

        #expect(taken == [true, false, false])
        #expect(isTakenLater)
        #expect(throws: ChannelError.self) { try connections[1].finish() }
        #expect(counts.open == 1)
        #expect(counts.refused == 2)
        #expect(lines.all.count == 1)
        _ = try connections[3].finish()
        _ = try listener.finish()
    }

    @Test(.timeLimit(.minutes(1))) func `goes on answering those that it has`() async throws {
        let counts = OpenConnections(most: 1)

        let (first, refused, second) = try await withLoopback([NotesService.echo], server: { $0.connections = counts }) { loopback in
            let first = try await loopback.channel.unary(Notes.say, "one")
            let refused = try? await RawPeer.ask(port: loopback.port, .call("Say"), body: [0, 0, 0, 0, 0])
            return (first, refused?.header("grpc-status"), try await loopback.channel.unary(Notes.say, "two"))
        }

        #expect(first == "one" && second == "two")
        #expect(refused == nil)
        #expect(counts.refused == 1)
    }
}

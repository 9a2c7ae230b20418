import NIOCore
import NIOEmbedded
import Testing

@testable import Gateway

@Suite struct `A client that has no room for more of its answers` {
    private func connection() throws -> EmbeddedChannel {
        let connection = EmbeddedChannel(handler: SendTimeout(.seconds(60)))
        connection.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 7), promise: nil)
        return connection
    }

    private func report(_ hasRoom: Bool, on connection: EmbeddedChannel) {
        connection.isWritable = hasRoom
        connection.pipeline.fireChannelWritabilityChanged()
    }

    @Test func `is waited for, and no longer than that`() throws {
        let connection = try connection()

        report(false, on: connection)
        connection.embeddedEventLoop.advanceTime(by: .seconds(59))
        let isWaitedFor = connection.isActive
        connection.embeddedEventLoop.advanceTime(by: .seconds(1))

        #expect(isWaitedFor)
        #expect(!connection.isActive)
    }

    @Test func `keeps its connection as long as it reads, however slowly`() throws {
        let connection = try connection()
        // What is not flushed stands for what is not sent.
        connection.write(ByteBuffer(repeating: 0, count: 4 << 20), promise: nil)
        report(false, on: connection)
        connection.embeddedEventLoop.advanceTime(by: .seconds(59))
        connection.write(ByteBuffer(repeating: 0, count: 1 << 10), promise: nil)
        connection.embeddedEventLoop.advanceTime(by: .seconds(1))
        let isKept = connection.isActive
        connection.embeddedEventLoop.advanceTime(by: .seconds(60))

        #expect(isKept)
        #expect(!connection.isActive)
    }

    @Test func `keeps its connection once it has read`() throws {
        let connection = try connection()

        report(false, on: connection)
        connection.embeddedEventLoop.advanceTime(by: .seconds(59))
        report(true, on: connection)
        connection.embeddedEventLoop.advanceTime(by: .seconds(600))

        #expect(connection.isActive)
        _ = try connection.finish()
    }
}

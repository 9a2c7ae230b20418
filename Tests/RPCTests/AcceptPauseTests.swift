import NIOCore
import NIOEmbedded
import Testing

@testable import RPC

@Suite struct `A listener` {
    @Test func `that can take no connection tries again after a pause`() throws {
        let lines = LogLines()
        let channel = EmbeddedChannel(handler: AcceptPause(logger: lines.logger))
        func reads() -> Bool? {
            channel.options.last { $0.option is ChannelOptions.Types.AutoReadOption }?.value as? Bool
        }

        // EMFILE: the process has no descriptor left.
        channel.pipeline.fireErrorCaught(IOError(errnoCode: 24, reason: "accept"))
        let readsAtOnce = reads()
        channel.embeddedEventLoop.advanceTime(by: AcceptPause.pause)
        let readsLater = reads()
        _ = try channel.finish()

        #expect(readsAtOnce == false)
        #expect(readsLater == true)
        #expect(lines.all.count == 1)
    }
}

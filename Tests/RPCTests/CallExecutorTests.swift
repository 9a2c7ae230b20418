import NIOCore
import NIOPosix
import RPC
import Testing

@Suite struct `The executor of an event loop` {
    private let loop = MultiThreadedEventLoopGroup.singleton.next()

    @Test func `has a task, and what it begins, on the loop whenever it goes on`() async {
        await withTaskExecutorPreference(loop.callExecutor) {
            #expect(loop.inEventLoop)
            await Task.detached {}.value
            #expect(loop.inEventLoop)
            async let child = loop.inEventLoop
            #expect(await child)
        }
    }

    @Test func `runs everything that threads without number hand over at once`() async {
        let sum = await withTaskGroup(of: Int.self) { group in
            for number in 1...2_000 {
                group.addTask(executorPreference: loop.callExecutor) {
                    await Task.detached {}.value
                    return loop.inEventLoop ? number : 0
                }
            }
            return await group.reduce(0, +)
        }
        #expect(sum == 2_001_000)
    }
}

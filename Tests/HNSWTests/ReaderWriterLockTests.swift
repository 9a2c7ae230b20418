import Foundation
import Testing

@testable import HNSW

@Suite(.timeLimit(.minutes(1))) struct `A lock for readers and writers` {
    @Test func `lets readers in at once but for when a writer is there or waits`() {
        let lock = ReaderWriterLock()
        #expect(lock.isReadable)
        lock.withWriteLock { #expect(!lock.isReadable) }
        #expect(lock.isReadable)

        lock.withReadLock {
            #expect(lock.isReadable)
            Thread { lock.withWriteLock {} }.start()
            // Until it waits for this reader.
            while lock.isReadable { usleep(100) }
        }
        while !lock.isReadable { usleep(100) }
    }
}

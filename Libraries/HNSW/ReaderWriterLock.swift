internal import Glibc

/// Lets many threads read or one write.
///
/// `pthread_rwlock_t` that prefers a waiting writer, so a stream of searches cannot starve an insertion. The index
/// sends writers in one at a time, so readers wait for one short change and never for a queue of them. POSIX lets any
/// number of threads call these functions on one lock at once.
///
/// Who has to wait tries again for some microseconds before it goes to sleep: a change is put in within less, and so is the moment between two
/// searches of one thread, while being woken takes fifty.
@safe
final class ReaderWriterLock: @unchecked Sendable {
    private let lock: UnsafeMutablePointer<pthread_rwlock_t>

    /// Tries take about 20 ns each. A reader waits for one change, a writer for the end of searches.
    private static let readerTries = 1_000
    private static let writerTries = 10_000

    init() {
        unsafe lock = .allocate(capacity: 1)
        var attributes = pthread_rwlockattr_t()
        // The codes below are only returned for an uninitialised or exhausted lock, a deadlock or a foreign thread's
        // unlock: mistakes of ours.
        unsafe ReaderWriterLock.check(pthread_rwlockattr_init(&attributes))
        unsafe ReaderWriterLock.check(
            pthread_rwlockattr_setkind_np(
                &attributes, Int32(PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP)))
        unsafe ReaderWriterLock.check(pthread_rwlock_init(lock, &attributes))
        unsafe ReaderWriterLock.check(pthread_rwlockattr_destroy(&attributes))
    }

    deinit {
        unsafe ReaderWriterLock.check(pthread_rwlock_destroy(lock))
        unsafe lock.deallocate()
    }

    /// Not to be called from within another: with a writer waiting between the two, both would wait forever.
    func withReadLock<Value, Failure: Error>(_ body: () throws(Failure) -> Value) throws(Failure) -> Value {
        if !ReaderWriterLock.succeeds({ unsafe pthread_rwlock_tryrdlock(lock) }, within: ReaderWriterLock.readerTries) {
            unsafe ReaderWriterLock.check(pthread_rwlock_rdlock(lock))
        }
        defer { unsafe ReaderWriterLock.check(pthread_rwlock_unlock(lock)) }
        return try body()
    }

    /// Whether a reader would get in at once now.
    var isReadable: Bool {
        guard unsafe pthread_rwlock_tryrdlock(lock) == 0 else { return false }
        unsafe ReaderWriterLock.check(pthread_rwlock_unlock(lock))
        return true
    }

    func withWriteLock<Value, Failure: Error>(_ body: () throws(Failure) -> Value) throws(Failure) -> Value {
        if !ReaderWriterLock.succeeds({ unsafe pthread_rwlock_trywrlock(lock) }, within: ReaderWriterLock.writerTries) {
            unsafe ReaderWriterLock.check(pthread_rwlock_wrlock(lock))
        }
        defer { unsafe ReaderWriterLock.check(pthread_rwlock_unlock(lock)) }
        return try body()
    }

    private static func succeeds(_ attempt: () -> Int32, within tries: Int) -> Bool {
        for _ in 0..<tries where attempt() == 0 { return true }
        return false
    }

    private static func check(_ code: Int32) {
        precondition(code == 0, "A pthread_rwlock call failed with \(code).")
    }
}

internal import Foundation
internal import Glibc

/// Commands that change what a cluster is made of do so one at a time: `up`, `load`, `down`, `clean-state`, `init-secrets` and
/// `certificates rotate`. The supervisor has a lock of its own, and this one neither has it nor waits for it: a command that has
/// this one may wait for the supervisor.
extension StateDirectory {
    /// Takes the lock, or throws a sentence that names who has it: those that make something come again when the other has ended.
    /// `down` and `clean-state` wait for it first, since what they are to do is the same afterwards.
    func lock(waiting limit: Duration = .zero) throws -> FileLock {
        let end = ContinuousClock.now + limit
        var isSaid = false
        while true {
            do {
                return try FileLock(path: upLock)
            } catch let held as FileLock.Held {
                guard ContinuousClock.now < end else {
                    throw CommandFailure("another command (process \(held.by)) is at work in \(path). Wait for it, or end it.")
                }
                if !isSaid { FileHandle.standardError.say("Waiting for another command (process \(held.by)), which is at work in \(path).") }
                isSaid = true
                usleep(50_000)
            }
        }
    }

    /// Makes the folders and takes the lock, in this order: who had it before may have removed them.
    func createLocked(mode: Int = StateDirectory.passage) throws -> FileLock {
        try make(path, mode: mode)
        let lock = try self.lock()
        try create(mode: mode)
        return lock
    }
}

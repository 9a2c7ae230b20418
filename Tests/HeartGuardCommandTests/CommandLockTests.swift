internal import ArgumentParser
internal import Foundation
internal import Glibc
internal import Testing

@testable import HeartGuardCommand

/// Takes the lock of a file as another process would: one of the open file, which stands against those of processes, this one's too. It is let go when
/// the descriptor is closed.
func lockElsewhere(_ path: String) throws -> Int32 {
    let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    var request = flock()
    request.l_type = Int16(F_WRLCK)
    request.l_whence = Int16(SEEK_SET)
    // F_OFD_SETLK of fcntl.h, which shows it only to programs that ask for GNU's extensions.
    let code = unsafe fcntl(descriptor, 37, &request)
    guard code == 0 else { throw CommandFailure("cannot lock \(path)", errno: errno) }
    return descriptor
}

@Suite struct `The lock of a cluster's commands` {
    @Test func `is refused in a sentence while another command has it`() throws {
        try withState { directory in
            let other = try lockElsewhere(directory.upLock)
            defer { close(other) }

            let sentence = CommandFailure("another command (process -1) is at work in \(directory.path). Wait for it, or end it.")
            #expect(throws: sentence) { _ = try directory.lock() }
            #expect(throws: sentence) { _ = try directory.createLocked() }
            #expect(throws: sentence) { try InitSecretsCommand.parse(["--state-dir", directory.path]).run() }
        }
    }

    @Test(.timeLimit(.minutes(5))) func `is waited for by those that stop a cluster or throw it away`() throws {
        try withState { directory in
            for command in [DownCommand.self, CleanStateCommand.self, DownCommand.self] as [any ParsableCommand.Type] {
                try directory.create()
                let other = try lockElsewhere(directory.upLock)
                Thread.detachNewThread { close(other) }

                var parsed = try command.parse(["--state-dir", directory.path])
                try parsed.run()
            }
        }
    }

    @Test func `goes with the folder that it is in`() throws {
        try withState { directory in
            let lock = try directory.createLocked()
            try directory.clear()
            extendLifetime(lock)
            let next = try directory.createLocked()

            #expect(directory.exists)
            #expect(FileManager.default.fileExists(atPath: directory.upLock))
            extendLifetime(next)
        }
    }

    @Test func `has no holder that is known where it may not be looked at`() throws {
        try withState { directory in
            #expect(try FileLock.holder(path: directory.supervisorLock) == nil)
            #expect(try FileLock.holder(path: "\(directory.path)/nowhere/lock") == nil)
            // A link to itself: root may look at everything else.
            try FileManager.default.createSymbolicLink(atPath: directory.supervisorLock, withDestinationPath: directory.supervisorLock)

            #expect(throws: CommandFailure.self) { try FileLock.holder(path: directory.supervisorLock) }
            #expect(throws: CommandFailure.self) { try SupervisorHandle(directory: directory).stop() }
        }
    }
}

@Suite struct `A supervisor that is not seen from here` {
    @Test(arguments: [0, -1] as [pid_t]) func `is sent no signal where its number would mean others`(pid: pid_t) throws {
        try withState { directory in
            #expect(throws: CommandFailure.self) { try SupervisorHandle(directory: directory).reachable(pid) }
            let other = try SupervisorHandle(directory: directory).reachable(7)
            #expect(other == 7)
        }
    }
}

@Suite struct `What is thrown away` {
    @Test func `is a cluster's, and nothing of a folder without one`() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        let log = folder.appending(path: "logs/somebody's")
        try FileManager.default.createDirectory(at: log, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }  // What is left is in the folder for such things.

        try CleanStateCommand.parse(["--state-dir", folder.path]).run()

        #expect(FileManager.default.fileExists(atPath: log.path))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["logs"])
    }
}

internal import Foundation
internal import Glibc
internal import Testing

@testable import HeartGuardCommand

@Suite struct `The end of the logs` {
    @Test(.timeLimit(.minutes(5))) func `is followed by a program that a signal from the terminal ends`() throws {
        try withState { directory in
            try Data("a line\n".utf8).write(to: URL(filePath: directory.log("users")))
            let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            let output = "\(directory.path)/output"
            let pid = try ChildProcess.spawn(
                root.appending(path: ".build/debug/heartguard").path, ["logs", "users", "--follow", "--state-dir", directory.path],
                environment: ["PATH=/usr/bin:/bin"], output: output)
            var hasEnded = false
            defer {
                if !hasEnded {
                    kill(pid, SIGKILL)
                    _ = ChildProcess.wait(pid)
                }
            }
            // tail(1) has taken the command's place once the line is there.
            var looks = 0
            while looks < 6000, (try? String(contentsOfFile: output, encoding: .utf8)) != "a line\n" {
                usleep(10_000)
                looks += 1
            }

            let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
            #expect(status.hasPrefix("Name:\ttail\n"))
            try #require(status.contains("SigBlk:\t0000000000000000\n"))
            kill(pid, SIGINT)
            #expect(ChildProcess.wait(pid) == .signalled(SIGINT))
            hasEnded = true
        }
    }
}

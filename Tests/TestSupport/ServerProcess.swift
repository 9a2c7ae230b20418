internal import Foundation

/// A server that lives no longer than this process.
///
/// A small shell holds the read end of a pipe and obeys the words that come through it. When the pipe closes, because
/// the test process has ended in whatever way, it stops the server and removes the folder.
package final class ServerProcess: Sendable {
    /// A temporary folder that belongs to the server's user.
    package let folder: String
    private let conversation: Conversation

    private init(folder: String, conversation: Conversation) {
        self.folder = folder
        self.conversation = conversation
    }

    /// Prepares and starts a server. The three commands are shell text in which `$folder` is the server's folder; `start`
    /// returns when the server answers, `stop` when it has ended.
    ///
    /// - Parameter unprivilegedUser: who runs it when the tests run as root; `nil` for root itself.
    package static func start(
        name: String, unprivilegedUser: String?, prepare: String, start: String, stop: String
    ) async throws -> ServerProcess {
        let script = """
            # Outlives what ends the tests: a closed pipe, a hang-up, Ctrl-C.
            trap : PIPE HUP INT TERM
            folder=$(mktemp -d "${TMPDIR:-/tmp}/heartguard-\(name)-XXXXXX") || exit 1
            cd "$folder"
            log="$folder/setup.log"
            finish() { \(stop); rm -rf "$folder"; } >/dev/null 2>&1
            { \(prepare) && \(start); } </dev/null >"$log" 2>&1
            if [ $? -ne 0 ]; then
              echo "failed $(tail -n 5 "$log" "$folder/log" 2>/dev/null | tr '\\n' ' ')"
              finish
              exit 1
            fi
            echo "ready $folder"
            while read -r word; do
              case $word in
                stop) { \(stop); } </dev/null >"$log" 2>&1 ;;
                start) { \(start); } </dev/null >"$log" 2>&1 ;;
                end) finish; echo "done"; exit 0 ;;
              esac
              if [ $? -eq 0 ]; then echo "done"; else echo "failed $(tail -n 5 "$log" | tr '\\n' ' ')"; fi
            done
            finish
            """
        var command = ["/bin/sh", "-c", script]
        if let unprivilegedUser, geteuid() == 0 {
            command = [
                "/usr/bin/setpriv", "--reuid=\(unprivilegedUser)", "--regid=\(unprivilegedUser)", "--init-groups", "--",
            ] + command
        }
        let conversation = try Conversation(command)
        let answer = try await conversation.answer()
        guard answer.hasPrefix("ready ") else { throw ServerFailedToStart(name: name, reason: answer) }
        return ServerProcess(folder: String(answer.dropFirst(6)), conversation: conversation)
    }

    package func stop() async throws { try await conversation.ask("stop") }
    package func restart() async throws { try await conversation.ask("start") }
    package func end() async throws { try await conversation.ask("end") }
}

package struct ServerFailedToStart: Error, CustomStringConvertible {
    package let name: String
    package let reason: String
    package var description: String { "The test server \(name) did not do what it was told: \(reason)" }
}

/// Lines to and from the shell.
private final class Conversation: Sendable {
    private let input: FileHandle
    private let lines: LineReader

    init(_ command: [String]) throws {
        let toShell = Pipe()
        let fromShell = Pipe()
        // A child started later must not hold the pipe open, or its end would not be seen.
        for handle in [toShell.fileHandleForWriting, fromShell.fileHandleForReading] {
            _ = fcntl(handle.fileDescriptor, F_SETFD, FD_CLOEXEC)
        }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: command[0])
        process.arguments = Array(command.dropFirst())
        process.standardInput = toShell
        process.standardOutput = fromShell
        try process.run()
        input = toShell.fileHandleForWriting
        lines = LineReader(fromShell.fileHandleForReading)
    }

    func ask(_ word: String) async throws {
        try input.write(contentsOf: Data("\(word)\n".utf8))
        let answer = try await answer()
        guard answer == "done" else { throw ServerFailedToStart(name: word, reason: answer) }
    }

    func answer() async throws -> String { await lines.next() ?? "it ended without an answer" }
}

/// Reads lines on a queue of its own, since reading a pipe blocks.
private final class LineReader: @unchecked Sendable {
    private let queue = DispatchQueue(label: "heartguard.tests.lines")
    private let handle: FileHandle
    private var buffer = Data()

    init(_ handle: FileHandle) { self.handle = handle }

    func next() async -> String? {
        await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: self.read()) }
        }
    }

    private func read() -> String? {
        while true {
            if let newline = buffer.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: buffer[..<newline], as: UTF8.self)
                buffer.removeSubrange(...newline)
                return line
            }
            let more = handle.availableData
            if more.isEmpty { return nil }
            buffer.append(more)
        }
    }
}

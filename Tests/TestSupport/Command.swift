internal import Foundation

/// Programs that tests run to their end.
package enum Command {
    package struct Failed: Error, CustomStringConvertible {
        package let description: String
    }

    /// Runs a program and returns what it printed, without the newline at the end. Throws what it printed to its error
    /// output if it fails.
    @discardableResult
    package static func run(_ path: String, _ arguments: [String]) async throws -> String {
        let output = Pipe()
        let errors = Pipe()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        return try await withCheckedThrowingContinuation { continuation in
            // Reading to the end blocks, so it has a thread of its own; the errors are short and fit into their pipe.
            DispatchQueue(label: "heartguard.tests.command").async {
                let printed = output.fileHandleForReading.readDataToEndOfFile()
                let complaint = errors.fileHandleForReading.readDataToEndOfFile()
                process.waitUntilExit()
                if process.terminationStatus == 0 {
                    let text = String(decoding: printed, as: UTF8.self)
                    continuation.resume(returning: text.hasSuffix("\n") ? String(text.dropLast()) : text)
                } else {
                    let name = URL(fileURLWithPath: path).lastPathComponent
                    let reason = String(decoding: complaint, as: UTF8.self)
                    continuation.resume(throwing: Failed(description: "\(name) failed: \(reason)"))
                }
            }
        }
    }
}

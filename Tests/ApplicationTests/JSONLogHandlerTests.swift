import Application
import Logging
import Synchronization
import Testing

@Suite struct `A log line` {
    @Test func `is one JSON object, whatever its values hold`() {
        let lines = Mutex<[String]>([])
        let log: @Sendable (String) -> Void = { line in lines.withLock { $0.append(line) } }
        let logger = Logger(label: "test") { JSONLogHandler(label: $0, write: log) }

        logger.info("two\nlines", metadata: ["quote": "a \"b\" \\ \u{1b}", "n": "1"])

        let line = lines.withLock { $0.first ?? "" }
        #expect(line.hasSuffix(#","level":"info","logger":"test","message":"two\nlines","n":"1","quote":"a \"b\" \\ \u001b"}"# + "\n"))
        #expect(line.filter(\.isNewline).count == 1)
    }
}

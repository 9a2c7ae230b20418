import Application
import Synchronization
import Testing

@Suite struct `A program` {
    @Test func `that cannot use its settings says so in one last line, and ends with 1`() async {
        let lines = Mutex<[String]>([])

        let code = await Program.code(of: "users", write: { line in lines.withLock { $0.append(line) } }) {
            var settings = Settings(environment: ["PORT": "seventy"])
            _ = settings.port("PORT")
            try settings.finish()
        }

        #expect(code == 1)
        let written = lines.withLock { $0 }
        #expect(written.count == 1)
        let end = #","level":"critical","logger":"heartguard.users","message":"the program ends","# + #""reason":"The settings cannot be used:\n  - PORT is not a whole number from 1 to 65535."}"#
        #expect(written.last?.hasSuffix(end + "\n") == true)
    }

    @Test func `that was asked to stop ends with 0 and says nothing of it`() async {
        let lines = Mutex<[String]>([])
        let code = await Program.code(of: "users", write: { line in lines.withLock { $0.append(line) } }) {}
        let written = lines.withLock { $0 }
        #expect(code == 0)
        #expect(written == [])
    }
}

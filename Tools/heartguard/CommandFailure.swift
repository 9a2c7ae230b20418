/// What ends a command: one sentence for the person at the terminal.
struct CommandFailure: Error, Equatable, CustomStringConvertible {
    let description: String

    init(_ sentence: String) { description = sentence }
}

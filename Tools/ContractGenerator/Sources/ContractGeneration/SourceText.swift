internal import SwiftProtobufPluginLibrary

/// Swift source as it grows, line by line, with its indentation.
struct SourceText {
    private(set) var text = ""
    private var depth = 0

    mutating func line(_ line: String = "") {
        if line.isEmpty {
            text += "\n"
        } else {
            text += String(repeating: "    ", count: depth) + line + "\n"
        }
    }

    mutating func lines(_ lines: [String]) {
        for line in lines { self.line(line) }
    }

    /// Writes `head {`, the body one step deeper, and `}`.
    mutating func block(_ head: String, end: String = "}", _ body: (inout SourceText) throws -> Void) rethrows {
        line(head + " {")
        depth += 1
        try body(&self)
        depth -= 1
        line(end)
    }

    /// The comment that stands above a declaration in the .proto file, as a documentation comment.
    mutating func documentation(of declaration: some ProvidesSourceCodeLocation) {
        let comment = declaration.protoSourceComments(commentPrefix: "///", leadingDetachedPrefix: nil)
        for line in comment.split(separator: "\n", omittingEmptySubsequences: true) {
            self.line(line.trimmingTrailingSpaces())
        }
    }
}

extension Substring {
    fileprivate func trimmingTrailingSpaces() -> String {
        var text = self
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}

internal import Foundation

/// What the environment says of a store on another machine, in the variables that services read.
extension [String: String] {
    /// The value of a variable; an empty one says nothing.
    func given(_ variable: String) -> String? {
        self[variable].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// What is in the file that a variable names, without the white space around it.
    func secret(_ variable: String) throws(CommandFailure) -> String {
        String(decoding: try file(variable), as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// The path of a file for who reads it by itself, such as an authority's certificate, if one is named.
    func path(ofFile variable: String) throws(CommandFailure) -> String? {
        guard let path = given(variable) else { return nil }
        _ = try file(variable)
        return path
    }

    private func file(_ variable: String) throws(CommandFailure) -> Data {
        guard let path = given(variable), let data = FileManager.default.contents(atPath: path) else {
            throw CommandFailure("\(variable) does not name a file that can be read.")
        }
        return data
    }
}

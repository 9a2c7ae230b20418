internal import ArgumentParser
internal import Foundation

/// How a file holds vectors.
enum VectorFormat: String, ExpressibleByArgument, CaseIterable, Sendable {
    /// For each vector its dimension as a little-endian int32, then its components as little-endian float32.
    case fvecs
    /// NumPy's: a header, then the rows of one array of float32.
    case npy
    /// A JSON object a line: id, embedding, content, metadata.
    case jsonl

    /// As a file's name says it.
    init?(of file: URL) { self.init(rawValue: file.pathExtension.lowercased()) }

    /// Whether ids, contents and metadata stand in another file.
    var needsSideCar: Bool { self != .jsonl }
}

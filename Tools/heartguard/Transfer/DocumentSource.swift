internal import Contracts
internal import Foundation

/// Where reading a file goes on.
struct SourcePlace: Codable, Equatable, Sendable {
    /// Documents before it.
    var row = 0
    var offset: UInt64 = 0
    /// In the file beside it, if there is one.
    var sideOffset: UInt64 = 0
    /// Lines before it, empty ones included.
    var line = 0
}

/// The documents of a file, read one after another.
struct DocumentSource {
    struct Files: Equatable, Sendable {
        let vectors: URL
        let format: VectorFormat
        /// Ids, contents and metadata of vectors; `nil` where ids are made.
        let sideCar: URL?
        /// What made ids begin with.
        let idPrefix: String
    }

    private let files: Files
    private let dimension: Int
    private let vectors: FileBytes
    private let sideCar: FileBytes?
    /// Rows that a .npy file says that it has.
    private var rows: Int?
    private(set) var place: SourcePlace

    /// - Parameter dimension: what the collection's embeddings have.
    init(_ files: Files, dimension: Int, from start: SourcePlace = SourcePlace()) throws {
        self.files = files
        self.dimension = dimension
        place = start
        if files.format == .npy {
            let begin: UInt64
            do {
                (rows, begin) = try Self.array(in: files.vectors, dimension: dimension)
            } catch let failure as CommandFailure {
                throw CommandFailure("\(files.vectors.lastPathComponent): \(failure)")
            }
            place.offset = max(place.offset, begin)
        }
        vectors = try FileBytes(files.vectors, at: place.offset)
        sideCar = try files.sideCar.map { try FileBytes($0, at: start.sideOffset) }
    }

    /// How many rows a .npy file has, and where the first begins.
    private static func array(in file: URL, dimension: Int) throws -> (rows: Int, begin: UInt64) {
        let bytes = try FileBytes(file)
        let header = try NumPyHeader(bytes)
        guard header.dimension == dimension else {
            throw CommandFailure("its rows have \(header.dimension) components; the collection's embeddings have \(dimension).")
        }
        let expected = bytes.offset + UInt64(header.rows) * UInt64(4 * dimension)
        let size = try file.byteCount()
        guard size == expected else {
            throw CommandFailure(
                "its header says that it has \(expected) bytes, \(header.rows) rows of \(dimension); it has \(size)\(size < expected ? ": it is cut short" : "").")
        }
        return (header.rows, bytes.offset)
    }

    /// The next document; `nil` behind the last. Throws a `CommandFailure` that says which row or line, and which field.
    mutating func next() throws -> VectorsV1.Document? {
        let document: VectorsV1.Document?
        do {
            switch files.format {
            case .jsonl: document = try nextLine()
            case .fvecs: document = try nextRow(fvecsRow())
            case .npy: document = try nextRow(npyRow())
            }
        } catch let failure as CommandFailure {
            throw CommandFailure("\(files.name(of: place)): \(failure)")
        }
        if document != nil { place.row += 1 }
        place.offset = vectors.offset
        place.sideOffset = sideCar?.offset ?? 0
        return document
    }

    private mutating func nextLine() throws -> VectorsV1.Document? {
        while let bytes = try vectors.line(most: DocumentLine.maxBytes) {
            if bytes.isBlank {
                place.line += 1
                continue
            }
            let line = try DocumentLine(bytes)
            guard let embedding = line.embedding else { throw CommandFailure("the field embedding is missing.") }
            place.line += 1
            return VectorsV1.Document(line, embedding: embedding)
        }
        return nil
    }

    private func nextRow(_ embedding: [Float]?) throws -> VectorsV1.Document? {
        guard let embedding else {
            if sideCar != nil, try nextSideLine() != nil {
                throw CommandFailure("the file beside it has a line that is no vector's: there are fewer vectors than lines.")
            }
            return nil
        }
        guard sideCar != nil else {
            return VectorsV1.Document(id: "\(files.idPrefix)\(place.row)", embedding: embedding)
        }
        guard let bytes = try nextSideLine() else {
            throw CommandFailure("the file beside it has no line for it: there are fewer lines than vectors.")
        }
        let line = try DocumentLine(bytes)
        guard line.embedding == nil else { throw CommandFailure("the field embedding must not stand in a file beside vectors.") }
        return VectorsV1.Document(line, embedding: embedding)
    }

    private func nextSideLine() throws -> [UInt8]? {
        while let line = try sideCar?.line(most: DocumentLine.maxBytes) {
            if !line.isBlank { return line }
        }
        return nil
    }

    private func fvecsRow() throws -> [Float]? {
        let head = try vectors.read(4)
        if head.isEmpty { return nil }
        guard head.count == 4 else { throw CommandFailure("it is cut short: the file ends within it.") }
        let said = head.enumerated().reduce(UInt32(0)) { $0 | UInt32($1.element) << (8 * UInt32($1.offset)) }
        guard said == dimension else {
            throw CommandFailure("it has \(said) components; the collection's embeddings have \(dimension).")
        }
        return try components()
    }

    private func npyRow() throws -> [Float]? { place.row == rows ? nil : try components() }

    private func components() throws -> [Float] {
        let bytes = try vectors.read(4 * dimension)
        guard bytes.count == 4 * dimension else { throw CommandFailure("it is cut short: the file ends within it.") }
        return bytes.floats
    }
}

extension DocumentSource.Files {
    /// What stands behind a place, for a person who looks there.
    func name(of place: SourcePlace) -> String {
        format == .jsonl ? "line \(place.line + 1)" : "row \(place.row + 1)"
    }

    /// The document that was read last.
    func name(endingAt place: SourcePlace) -> String {
        format == .jsonl ? "line \(place.line)" : "row \(place.row)"
    }
}

extension [UInt8] {
    fileprivate var isBlank: Bool {
        allSatisfy { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\r") || $0 == UInt8(ascii: "\t") }
    }
}

extension URL {
    func byteCount() throws -> UInt64 {
        do {
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            return (attributes[.size] as? NSNumber)?.uint64Value ?? 0
        } catch {
            throw CommandFailure("\(path) cannot be read: \(error.localizedDescription)")
        }
    }
}

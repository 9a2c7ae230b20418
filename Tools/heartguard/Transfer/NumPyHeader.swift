internal import Foundation

/// What stands before the rows of a .npy file: its shape, and that the rows are float32, little-endian, one after another.
struct NumPyHeader: Equatable, Sendable {
    static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
    /// Of headers that this writes: room for any number of rows, and a multiple of 64 as NumPy has it.
    static let byteCount = 128

    let rows: Int
    let dimension: Int

    /// Reads the header of a file, to the first byte of its first row.
    init(_ file: FileBytes) throws {
        let start = try file.read(8)
        guard start.count == 8, Array(start.prefix(6)) == Self.magic else {
            throw CommandFailure("it is no .npy file: it does not begin as NumPy's do.")
        }
        let lengthBytes = try file.read(start[6] == 1 ? 2 : 4)
        guard (1...3).contains(start[6]), lengthBytes.count == (start[6] == 1 ? 2 : 4) else {
            throw CommandFailure("it is a .npy file of a version that is not read here; 1, 2 and 3 are.")
        }
        let length = lengthBytes.enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
        guard length <= 1 << 16, case let text = try file.read(length), text.count == length else {
            throw CommandFailure("it is cut short: it ends within its header.")
        }
        try self.init(describedBy: String(decoding: text, as: UTF8.self))
    }

    init(rows: Int, dimension: Int) {
        self.rows = rows
        self.dimension = dimension
    }

    /// Reads the dictionary as Python writes it: `{'descr': '<f4', 'fortran_order': False, 'shape': (100, 384), }`.
    init(describedBy text: String) throws {
        guard let type = text.firstMatch(of: /'descr'\s*:\s*'([^']*)'/)?.1,
            let order = text.firstMatch(of: /'fortran_order'\s*:\s*(True|False)/)?.1,
            let shape = text.firstMatch(of: /'shape'\s*:\s*\(([0-9, ]*)\)/)?.1
        else { throw CommandFailure("its header does not say what it holds: it must name descr, fortran_order and shape.") }
        guard type == "<f4" else {
            throw CommandFailure("its numbers are of the type \(type.prefix(16)); they must be little-endian float32, '<f4'.")
        }
        guard order == "False" else {
            throw CommandFailure("its columns stand one after another (Fortran's order); its rows must (C's order).")
        }
        let sizes = shape.split(separator: ",").compactMap { Int($0.trimmingCharacters(in: .whitespaces)) }
        guard sizes.count == 2, sizes[0] >= 0, (1...65_536).contains(sizes[1]), sizes[0] <= Int.max >> 20 else {
            throw CommandFailure("its array has the shape (\(shape.prefix(40))); it must have two dimensions, rows and components.")
        }
        (rows, dimension) = (sizes[0], sizes[1])
    }

    /// As a file begins, `byteCount` long.
    var bytes: [UInt8] {
        let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(rows), \(dimension)), }"
        let padding = Self.byteCount - 10 - text.utf8.count - 1
        let length = Self.byteCount - 10
        return Self.magic + [1, 0, UInt8(length & 255), UInt8(length >> 8)] + Array(text.utf8)
            + [UInt8](repeating: UInt8(ascii: " "), count: padding) + [UInt8(ascii: "\n")]
    }
}

internal import Glibc

/// Vectors in a .fvecs or .ivecs file: for each a little-endian count and as many words of 32 bits. The file is mapped and
/// read as it is needed, so that it is not counted as memory of the index. Nobody writes to it.
@safe
package struct VectorFile: @unchecked Sendable {
    package struct Unreadable: Error, CustomStringConvertible {
        package let description: String
    }

    package let dimension: Int
    package let count: Int
    private let words: UnsafeBufferPointer<UInt32>

    package init(_ path: String) throws {
        let descriptor = unsafe open(path, O_RDONLY)
        var status = stat()
        guard descriptor >= 0, unsafe fstat(descriptor, &status) == 0, status.st_size >= 8 else {
            throw Unreadable(description: "\(path) cannot be read or is empty.")
        }
        let start = unsafe mmap(nil, status.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0)
        close(descriptor)
        guard let start = unsafe start, unsafe start != MAP_FAILED else {
            throw Unreadable(description: "\(path) cannot be mapped.")
        }
        // Until the process ends.
        unsafe words = UnsafeBufferPointer(
            start: UnsafePointer(start.assumingMemoryBound(to: UInt32.self)), count: status.st_size / 4)
        unsafe dimension = Int(words[0])
        guard dimension > 0, unsafe words.count % (dimension + 1) == 0 else {
            throw Unreadable(description: "\(path) does not hold vectors of one dimension.")
        }
        unsafe count = words.count / (dimension + 1)
    }

    package subscript(position: Int) -> [Float] { row(position).map { Float(bitPattern: $0) } }

    package func integers(_ position: Int) -> [Int] { row(position).map { Int($0) } }

    package var all: [[Float]] { (0..<count).map { self[$0] } }

    private func row(_ position: Int) -> [UInt32] {
        let first = position * (dimension + 1) + 1
        return unsafe Array(words[first..<(first + dimension)])
    }
}

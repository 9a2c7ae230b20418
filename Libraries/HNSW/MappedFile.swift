internal import Glibc

/// A file that holds what would otherwise be in memory. It has no name, so it is gone with the process.
final class MappedFile: Sendable {
    let descriptor: Int32

    /// - Throws: `.noFile`.
    init(in folder: String) throws(HNSWError) {
        // mkstemp(3) puts a name of its own in place of the six letters.
        var path = Array("\(folder)/vectors-XXXXXX".utf8CString)
        let descriptor = unsafe mkstemp(&path)
        guard descriptor >= 0 else { throw .noFile(in: folder, errno) }
        unsafe _ = unlink(path)
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    func resize(to bytes: Int) {
        precondition(ftruncate(descriptor, bytes) == 0, "The file of the vectors cannot be resized: errno \(errno).")
    }
}

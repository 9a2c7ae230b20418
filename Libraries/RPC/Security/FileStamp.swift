internal import Glibc

/// Tells the content of a file from what was in its place before, without reading it. A link stands for what it leads to,
/// so a folder that is exchanged as a whole counts as well.
struct FileStamp: Hashable {
    private let device: UInt
    private let inode: UInt
    private let bytes: Int
    private let seconds: Int
    private let nanoseconds: Int

    /// `nil` when there is no such file.
    init?(path: String) {
        var info = stat()
        guard unsafe stat(path, &info) == 0 else { return nil }
        device = info.st_dev
        inode = info.st_ino
        bytes = Int(info.st_size)
        seconds = info.st_mtim.tv_sec
        nanoseconds = info.st_mtim.tv_nsec
    }
}

internal import Glibc

extension CommandFailure {
    /// A failed system call, for example "cannot open /x: Permission denied".
    init(_ action: String, errno code: Int32 = errno) {
        let reason = unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
        self.init("\(action): \(reason)")
    }
}

internal import Glibc

/// What of the process is in memory, by /proc/self/status (proc_pid_status(5)).
struct ProcessMemory {
    /// Pages that are nobody else's.
    let anonymous: Int
    /// Pages of mapped files, which the system can take back at any time.
    let file: Int

    static var now: ProcessMemory {
        var (anonymous, file) = (0, 0)
        guard let status = unsafe fopen("/proc/self/status", "r") else { return ProcessMemory(anonymous: 0, file: 0) }
        defer { unsafe fclose(status) }
        var line = [CChar](repeating: 0, count: 256)
        while unsafe fgets(&line, Int32(line.count), status) != nil {
            let words = line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            let parts = String(decoding: words, as: UTF8.self).split { $0 == ":" || $0 == " " || $0 == "\t" }
            guard parts.count > 1, let kilobytes = Int(parts[1]) else { continue }
            if parts[0] == "RssAnon" { anonymous = kilobytes << 10 }
            if parts[0] == "RssFile" { file = kilobytes << 10 }
        }
        return ProcessMemory(anonymous: anonymous, file: file)
    }
}

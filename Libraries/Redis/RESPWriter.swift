internal import CHiredis
internal import NIOCore

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Writes commands as RESP arrays of bulk strings, by hiredis' `redisFormatCommandArgv`.
enum RESPWriter {
    /// Appends a command's bytes. `false` if hiredis could not format it: its result is an `int`, and it is -1 when
    /// memory is short.
    static func write(_ command: RedisCommand, to buffer: inout ByteBuffer) -> Bool {
        var formatted: UnsafeMutablePointer<CChar>?
        let count = unsafe command.bytes.withUnsafeBytes { bytes in
            // hiredis reads a length of zero as an argument of no bytes, but its pointer may not be null.
            let base = unsafe (bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 1)!)
                .assumingMemoryBound(to: CChar.self)
            var start = 0
            var pointers: [UnsafePointer<CChar>?] = unsafe []
            var lengths: [Int] = []
            unsafe pointers.reserveCapacity(command.ends.count)
            lengths.reserveCapacity(command.ends.count)
            for end in command.ends {
                unsafe pointers.append(base + start)
                lengths.append(end - start)
                start = end
            }
            return unsafe redisFormatCommandArgv(&formatted, Int32(lengths.count), &pointers, &lengths)
        }
        guard count >= 0, let text = unsafe formatted else { return false }
        defer { unsafe free(text) }
        unsafe buffer.writeBytes(UnsafeRawBufferPointer(start: text, count: Int(count)))
        return true
    }
}

internal import CZlib

/// Where a `z_stream` lives: zlib keeps a pointer back to it, so it may not move.
@safe
struct ZStream: ~Copyable {
    private let stream: UnsafeMutablePointer<z_stream>

    /// zlib's own window, with the gzip wrapper instead of its own ("add 16 to windowBits", zlib manual).
    static let gzipWindowBits: Int32 = 15 + 16

    init() {
        unsafe stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
    }

    deinit {
        unsafe stream.deallocate()
    }

    /// Calls zlib with the stream.
    func call(_ body: (UnsafeMutablePointer<z_stream>) -> Int32) -> Int32 {
        unsafe body(stream)
    }

    /// Calls zlib with all of the input, then again and again with room for more output while `body` says so.
    ///
    /// zlib counts what is left of both in 32 bits; messages are shorter by their framing, and `precondition` holds it.
    func withInput<Failure: Error>(
        _ bytes: ArraySlice<UInt8>,
        _ body: (UnsafeMutablePointer<z_stream>) throws(Failure) -> [UInt8]
    ) throws(Failure) -> [UInt8] {
        precondition(bytes.count <= Int(UInt32.max), "a message is shorter than 4 GiB")
        var result: Result<[UInt8], Failure>?
        unsafe bytes.withUnsafeBufferPointer { input in
            // zlib does not write to its input; its declaration only does not say so.
            unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
            unsafe stream.pointee.avail_in = UInt32(input.count)
            do throws(Failure) { result = .success(try unsafe body(stream)) } catch { result = .failure(error) }
            unsafe stream.pointee.next_in = nil
            unsafe stream.pointee.avail_in = 0
        }
        guard let result else { preconditionFailure("withUnsafeBufferPointer calls its closure") }
        return try result.get()
    }
}

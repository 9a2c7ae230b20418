/// Packs and unpacks whole messages as one gzip member each (RFC 1952). Both compute until they are done: some 50 MB/s in
/// and 300 MB/s out, so what may be large belongs on a thread that nobody waits for.
package enum Gzip {
    /// Packs the bytes. It sets aside about 256 KiB while it works.
    package static func compress(_ bytes: ArraySlice<UInt8>) throws(GzipError) -> [UInt8] {
        var deflater = try Deflater()
        return try deflater.pack(bytes)
    }

    /// Unpacks one member that must be all of the bytes. It stops once more than `limit` bytes have come out, whatever
    /// the member would go on to hold: a member of 1 GiB costs no more than the limit.
    package static func decompress(_ bytes: ArraySlice<UInt8>, limit: Int) throws(GzipError) -> [UInt8] {
        var inflater = try Inflater()
        return try inflater.unpack(bytes, limit: limit)
    }
}

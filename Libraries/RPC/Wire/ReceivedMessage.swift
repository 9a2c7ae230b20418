internal import Gzip

/// A message as it arrived: unread, and packed where its frame says so. It is unpacked when somebody reads it, so that
/// what waits to be read is never larger than what was sent.
struct ReceivedMessage: Sendable, Hashable {
    var bytes: [UInt8]
    var isCompressed = false

    /// More than this might unpack into what keeps an event loop for milliseconds: gzip grows a thousandfold at most.
    private static let maxBytesUnpackedInPlace = 512

    /// Unpacks the message, elsewhere when it may take long. Throws RESOURCE_EXHAUSTED when there is more in it than the
    /// limit, having unpacked no more than that, and INTERNAL when it is damaged.
    func unpacked(limit: Int) async throws(RPCError) -> [UInt8] {
        guard isCompressed else { return bytes }
        if bytes.count <= ReceivedMessage.maxBytesUnpackedInPlace { return try unpack(limit: limit) }
        return try await Elsewhere.compute { () throws(RPCError) in try unpack(limit: limit) }
    }

    private func unpack(limit: Int) throws(RPCError) -> [UInt8] {
        do throws(GzipError) {
            return try Gzip.decompress(bytes[...], limit: limit)
        } catch .tooLarge {
            throw RPCError(.resourceExhausted, "A compressed message holds more than the limit of \(limit) bytes.")
        } catch {
            throw RPCError(.internalError, "A compressed message cannot be unpacked. \(error)")
        }
    }
}

/// Where work goes that would keep an event loop from its other connections.
enum Elsewhere {
    /// Computes on the process's pool of threads, one for each core, and comes back.
    static func compute<Result: Sendable, Failure: Error>(
        _ work: @Sendable () throws(Failure) -> Result
    ) async throws(Failure) -> Result {
        try await withTaskExecutorPreference(globalConcurrentExecutor) { () async throws(Failure) -> Result in
            try work()
        }
    }
}

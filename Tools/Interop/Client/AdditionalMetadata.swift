internal import ArgumentParser
internal import RPC

/// What `--additional_metadata` has every request carry: pairs of a name and a value that are parted by semicolons, each pair by its
/// first colon.
struct AdditionalMetadata: ExpressibleByArgument, ClientInterceptor {
    private let metadata: Metadata

    init?(argument: String) {
        var metadata = Metadata()
        for pair in argument.split(separator: ";") {
            guard let colon = pair.firstIndex(of: ":") else { return nil }
            metadata.add(String(pair[..<colon]), value: String(pair[pair.index(after: colon)...]))
        }
        self.metadata = metadata
    }

    func intercept(
        _ context: ClientCallContext, next: @Sendable (ClientCallContext) async throws -> Void
    ) async throws {
        var context = context
        context.metadata.append(contentsOf: metadata)
        try await next(context)
    }
}

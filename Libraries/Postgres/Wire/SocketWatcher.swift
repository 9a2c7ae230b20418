internal import Dispatch
#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Says on a queue when a socket can be read or written.
///
/// It watches a duplicate of the descriptor. libpq closes its own whenever it likes, and the number may then belong to
/// another socket before Dispatch has forgotten it; the duplicate is closed only after Dispatch has.
final class SocketWatcher {
    private let reader: any DispatchSourceRead
    private let writer: any DispatchSourceWrite
    private var readsAreWatched = false
    private var writesAreWatched = false

    /// `nil` if the process has no descriptor left. Watches nothing until it is told to.
    init?(
        _ socket: Int32, on queue: DispatchQueue,
        onReadable: @escaping @Sendable () -> Void, onWritable: @escaping @Sendable () -> Void
    ) {
        guard let descriptor = Descriptor(duplicating: socket) else { return nil }
        reader = DispatchSource.makeReadSource(fileDescriptor: descriptor.number, queue: queue)
        writer = DispatchSource.makeWriteSource(fileDescriptor: descriptor.number, queue: queue)
        reader.setEventHandler(handler: onReadable)
        writer.setEventHandler(handler: onWritable)
        // The last of the two handlers to be called lets go of the descriptor.
        reader.setCancelHandler { withExtendedLifetime(descriptor) {} }
        writer.setCancelHandler { withExtendedLifetime(descriptor) {} }
    }

    func watchReads(_ isWanted: Bool) {
        guard isWanted != readsAreWatched else { return }
        readsAreWatched = isWanted
        if isWanted { reader.resume() } else { reader.suspend() }
    }

    func watchWrites(_ isWanted: Bool) {
        guard isWanted != writesAreWatched else { return }
        writesAreWatched = isWanted
        if isWanted { writer.resume() } else { writer.suspend() }
    }

    deinit {
        reader.cancel()
        writer.cancel()
        // Dispatch runs no cancel handler while a source is suspended.
        watchReads(true)
        watchWrites(true)
    }

    private final class Descriptor: Sendable {
        let number: Int32

        init?(duplicating socket: Int32) {
            number = fcntl(socket, F_DUPFD_CLOEXEC, 0)
            if number < 0 { return nil }
        }

        deinit { close(number) }
    }
}

import Synchronization

/// Which services have answered last: whoever needs any one of them asks in that order, and finds one that hangs last.
final class LastAnswers: Sendable {
    private let order = Mutex(Backend.allCases)

    /// The latest first.
    var services: [Backend] { order.withLock { $0 } }

    func note(_ backend: Backend) {
        order.withLock { order in
            guard order.first != backend, let place = order.firstIndex(of: backend) else { return }
            order.remove(at: place)
            order.insert(backend, at: 0)
        }
    }
}

package import Time

/// What happened to a server, a channel, or a channel's way to one address: how much in all, and the newest of it.
package struct ChannelzTrace: Sendable {
    package enum Severity: Sendable, Hashable {
        case info
        case warning
        case error
    }

    package struct Event: Sendable, Hashable {
        package let description: String
        package let severity: Severity
        package let time: Instant
        /// The way to an address that it was about.
        package let subchannel: ChannelzReference?
    }

    package let created: Instant
    /// Events, also those that are not kept any more.
    package private(set) var count = 0
    /// The oldest first.
    package private(set) var events: [Event] = []

    private static let maxEvents = 32

    init(created: Instant = .now()) {
        self.created = created
    }

    mutating func note(
        _ description: String, _ severity: Severity = .info, about subchannel: ChannelzReference? = nil,
        at time: Instant = .now()
    ) {
        count += 1
        events.append(Event(description: description, severity: severity, time: time, subchannel: subchannel))
        events.removeFirst(max(0, events.count - ChannelzTrace.maxEvents))
    }

    /// What happened to the parts of one whole, in the order of time.
    init(joining parts: [ChannelzTrace], created: Instant) {
        self.created = created
        count = parts.reduce(0) { $0 + $1.count }
        let all = parts.flatMap(\.events).sorted { $0.time < $1.time }
        events = Array(all.suffix(ChannelzTrace.maxEvents))
    }
}

extension ChannelzTrace {
    mutating func note(_ state: ConnectivityState) {
        switch state {
        case .idle: note("Idle: connects when it is called through.")
        case .connecting: note("Connecting.")
        case .ready: note("Ready.")
        case .transientFailure(let reason): note("Failed, and tries again: \(reason)", .warning)
        case .shutdown: note("Closed.")
        }
    }
}

internal import NIOCore

/// The threads on which a program talks to others.
package enum EventLoops {
    /// Has so many for everything: connections of callers, those to services, and those to Redis. A handler runs on the loop of its caller's connection,
    /// and what it asks of others goes by a connection of the same loop, so that a call changes no thread while it waits.
    ///
    /// To be called once, by a program's main, before anything is connected; a second time is a programmer's mistake.
    package static func share(_ count: Int) { NIOSingletons.groupLoopCountSuggestion = count }
}

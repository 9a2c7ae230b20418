/// What NOTIFY told.
package struct Notification: Sendable, Hashable {
    package let channel: String
    /// At most 7,999 bytes, as the server allows.
    package let payload: String
    /// The server process of the sender.
    package let processID: Int32
}

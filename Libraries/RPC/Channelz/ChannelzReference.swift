/// Names a server, channel, subchannel or socket. The number is the process's own and used once.
package struct ChannelzReference: Sendable, Hashable {
    package let id: Int64
    package let name: String
}

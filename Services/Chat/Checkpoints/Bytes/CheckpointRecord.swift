internal import Application

/// What stream 0 says of a checkpoint: the agent's own account of it, and for each channel the version and what the value is made of.
struct CheckpointRecord: Hashable, Sendable {
    struct Channel: Hashable, Sendable {
        let name: String
        let version: String
        /// `nil`: the channel has no value at this version.
        let value: StoredValue?
    }

    let content: TypedValue
    let channels: [Channel]

    private static let form: UInt64 = 1

    var bytes: [UInt8] {
        var writer = ByteWriter()
        writer.append(Self.form)
        writer.append(content.type)
        writer.append(counted: content.data)
        writer.append(channels.count)
        for channel in channels {
            writer.append(channel.name)
            writer.append(channel.version)
            writer.append(channel.value == nil ? 0 : 1)
            channel.value?.write(to: &writer)
        }
        return writer.bytes
    }

    init(content: TypedValue, channels: [Channel]) {
        self.content = content
        self.channels = channels
    }

    init(_ bytes: [UInt8]) throws(UnreadableBytes) {
        var reader = ByteReader(bytes)
        guard try reader.number() == Self.form else { throw .otherForm }
        content = TypedValue(type: try reader.text(), data: Array(try reader.counted()))
        var channels: [Channel] = []
        for _ in 0..<(try reader.count(most: bytes.count)) {
            let (name, version) = (try reader.text(), try reader.text())
            let value = try reader.count(most: 1) == 0 ? nil : try StoredValue(from: &reader)
            channels.append(Channel(name: name, version: version, value: value))
        }
        self.channels = channels
        try reader.finish()
    }

    /// The version that is told of for a channel.
    func channel(_ name: String, version: String) -> Channel? {
        let (name, version) = (ExactText(name), ExactText(version))
        return channels.first { ExactText($0.name) == name && ExactText($0.version) == version }
    }

    var ranges: [StreamRange] { channels.flatMap { $0.value?.pieces.ranges ?? [] } }
}

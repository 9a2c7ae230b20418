internal import Crypto
internal import FHIR
internal import FoundationEssentials

extension UUID {
    /// What a resource is told from others by: the same, whenever and in whichever file it comes.
    ///
    /// The UUID that it has, by its `fullUrl` or its id. Else one of version 5 (RFC 9562 §5.5) of where the file comes from and its `fullUrl`, or its
    /// type and id, or, for what has neither, its content. Identifiers are not asked: several readings of one specimen share one.
    init(identifying entry: BundleEntry, _ content: [UInt8], from source: String) {
        let url = entry.fullURL
        if let url, url.hasPrefix("urn:uuid:"), let id = UUID(uuidString: String(url.dropFirst(9))) {
            self = id
        } else if url == nil, let id = entry.id.flatMap(UUID.init(uuidString:)) {
            self = id
        } else if let name = url ?? entry.id.map({ "\(entry.type)/\($0)" }) {
            self.init(naming: Array("\(source) \(name)".utf8))
        } else {
            self.init(naming: Array("\(source) \(entry.type) ".utf8) + content)
        }
    }

    /// Of names of resources that have no UUID; made once.
    private static let namespace: [UInt8] = [0x5B, 0x1E, 0x0C, 0x9A, 0x61, 0x5D, 0x4D, 0x0E, 0x9B, 0x43, 0x6C, 0x70, 0x1F, 0x2A, 0xD7, 0x35]

    private init(naming name: [UInt8]) {
        var bytes = Array(Insecure.SHA1.hash(data: Self.namespace + name).prefix(16))
        bytes[6] = bytes[6] & 0x0F | 0x50
        bytes[8] = bytes[8] & 0x3F | 0x80
        self.init(uuid: (
            bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7], bytes[8], bytes[9], bytes[10], bytes[11], bytes[12],
            bytes[13], bytes[14], bytes[15]
        ))
    }
}

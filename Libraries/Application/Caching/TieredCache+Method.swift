package import Cache
package import RPC

extension TieredCache where Value: Message {
    /// Keeps what answers of a method are made of for as long as the method's contract lets them be used again (`cache_ttl`). A
    /// method whose contract does not say so has no cache.
    package convenience init(of method: MethodDescriptor, hub: CacheHub) {
        guard let life = method.policy.cacheTTL else { preconditionFailure("\(method.path) has no cache_ttl") }
        var configuration = CacheConfiguration()
        configuration.life = life
        configuration.localLife = min(configuration.localLife, life)
        self.init("\(method.service)/\(method.name)", hub: hub, codec: .message, configuration: configuration)
    }
}

extension CacheCodec where Value: Message {
    /// A message as protobuf writes it.
    package static var message: CacheCodec {
        // What cannot be written is not kept, and what cannot be read is fetched anew.
        CacheCodec(encode: { try? $0.serialized() }, decode: { try? Value(decoding: $0) })
    }
}

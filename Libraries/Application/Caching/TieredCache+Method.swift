package import Cache
internal import Contracts
package import RPC

extension TieredCache where Value: ContractMessage {
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

extension CacheCodec where Value: ContractMessage {
    /// A message as protobuf writes it.
    package static var message: CacheCodec {
        CacheCodec(
            // A message that was made here can be written; if it could not, what comes out is nothing that can be read again.
            encode: { (try? $0.serialized()) ?? [] },
            decode: { bytes in bytes.isEmpty ? Value() : try? Value(decoding: bytes) })
    }
}

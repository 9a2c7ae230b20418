package import Cache
internal import Contracts
package import FoundationEssentials
package import RPC

extension TieredCache where Value: Message {
    /// Keeps what answers of a method are made of for as long as the method's contract lets them be used again (`cache_ttl`). A
    /// method whose contract does not say so has no cache.
    ///
    /// - Parameters:
    ///   - keeps: which answers may be used again; all, unless said.
    ///   - isLocal: whether this process keeps them too. Where it does not, a change by any program is seen at once.
    package convenience init(
        of method: MethodDescriptor, hub: CacheHub, keeping keeps: @escaping @Sendable (Value) -> Bool = { _ in true },
        locally isLocal: Bool = true
    ) {
        guard let life = method.policy.cacheTTL else { preconditionFailure("\(method.path) has no cache_ttl") }
        var configuration = CacheConfiguration()
        configuration.life = life
        configuration.localLife = isLocal ? min(configuration.localLife, life) : .zero
        if !isLocal { configuration.localLifeUnheard = .zero }
        self.init(CacheEntry.name(of: method), hub: hub, codec: .message.keeping(keeps), configuration: configuration)
    }
}

extension CacheEntry {
    static func name(of method: MethodDescriptor) -> String { "\(method.service)/\(method.name)" }

    /// What the Gateway keeps of a person's overview. Who changes what is shown there takes it away.
    package static func patientOverview(of user: UUID) -> CacheEntry {
        CacheEntry(
            cache: name(of: GatewayV1.GatewayServiceMethods.getPatientOverview.descriptor),
            key: .personal("overview", seenBy: user))
    }
}

extension CacheCodec where Value: Message {
    /// A message as protobuf writes it.
    package static var message: CacheCodec {
        // What cannot be written is not kept, and what cannot be read is fetched anew.
        CacheCodec(encode: { try? $0.serialized() }, decode: { try? Value(decoding: $0) })
    }
}

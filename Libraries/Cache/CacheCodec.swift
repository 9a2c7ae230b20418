/// How the values of a cache become bytes and come back.
package struct CacheCodec<Value: Sendable>: Sendable {
    /// `nil` for a value that cannot be written, which is not kept then.
    let encode: @Sendable (Value) -> [UInt8]?
    /// `nil` for bytes that are no such value, as those of an older program may be.
    let decode: @Sendable ([UInt8]) -> Value?
    /// Whether a value may be kept at all, in this process too.
    private(set) var keeps: @Sendable (Value) -> Bool = { _ in true }

    package init(
        encode: @escaping @Sendable (Value) -> [UInt8]?, decode: @escaping @Sendable ([UInt8]) -> Value?
    ) {
        self.encode = encode
        self.decode = decode
    }

    /// The same, for values of which only some may be kept; the others are for whoever asked.
    package func keeping(_ isKept: @escaping @Sendable (Value) -> Bool) -> CacheCodec {
        var codec = self
        codec.keeps = isKept
        return codec
    }
}

extension CacheCodec where Value == [UInt8] {
    package static var bytes: CacheCodec { CacheCodec(encode: { $0 }, decode: { $0 }) }
}

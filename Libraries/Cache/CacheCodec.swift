/// How the values of a cache become bytes and come back.
package struct CacheCodec<Value: Sendable>: Sendable {
    /// `nil` for a value that cannot be written, which is not kept then.
    let encode: @Sendable (Value) -> [UInt8]?
    /// `nil` for bytes that are no such value, as those of an older program may be.
    let decode: @Sendable ([UInt8]) -> Value?

    package init(
        encode: @escaping @Sendable (Value) -> [UInt8]?, decode: @escaping @Sendable ([UInt8]) -> Value?
    ) {
        self.encode = encode
        self.decode = decode
    }
}

extension CacheCodec where Value == [UInt8] {
    package static var bytes: CacheCodec { CacheCodec(encode: { $0 }, decode: { $0 }) }
}

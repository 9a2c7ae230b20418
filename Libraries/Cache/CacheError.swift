/// Why a value could not be had. What the fetching itself throws is thrown as it is.
package enum CacheError: Error, Hashable, CustomStringConvertible {
    /// Redis fails, and as many values are being fetched without it as may be.
    case overloaded

    package var description: String {
        switch self {
        case .overloaded: "Too much is asked for while the cache is away; it may work in a moment."
        }
    }
}

internal import RPC

extension RPCContext {
    /// What callers make up as a request's name, as far as it is plain text and short: as it is written down.
    var requestName: String {
        let name = requestID
        if name.utf8.count <= 128, name.isPrintableASCII { return name }
        return String(decoding: name.utf8.lazy.filter { $0.isPrintableASCII }.prefix(128), as: UTF8.self)
    }
}

internal import HTTP2

/// What the requests of each method say in every call on one connection, laid out once.
struct RequestFields {
    private var last: (path: String, fields: HTTP2FixedFields)?
    private var all: [String: HTTP2FixedFields] = [:]
    /// A channel has some dozens of methods; whoever makes them up by the thousand gets nothing kept.
    private static let most = 512

    mutating func fields(of method: MethodDescriptor, on path: ClientPath) -> HTTP2FixedFields? {
        // Strings that are the same object compare without a look at their bytes.
        if let last, last.path == method.path { return last.fields }
        if let fields = all[method.path] {
            last = (method.path, fields)
            return fields
        }
        guard all.count < RequestFields.most else { return nil }
        let fields = HTTP2FixedFields(path.fixedHeaders(of: method))
        all[method.path] = fields
        last = (method.path, fields)
        return fields
    }
}

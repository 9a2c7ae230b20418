internal import RPC

/// The names that OpenTelemetry's semantic conventions give to what is known of a call.
enum OTelName {
    static let methodAttribute = "rpc.method"
    static let statusAttribute = "rpc.response.status_code"

    /// `heartguard.users.v1.UsersService/GetProfile`, or what stands for methods that nobody knows.
    static func method(_ method: MethodDescriptor?) -> String {
        method.map { "\($0.service)/\($0.name)" } ?? "_OTHER"
    }
}

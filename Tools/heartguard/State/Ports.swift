internal import Glibc

/// Which loopback port each program listens on. Chosen once and kept, so that what was printed yesterday is true today.
struct Ports: Codable, Equatable, Sendable {
    enum Role: String, CaseIterable, Codable, Sendable {
        case gateway, json, users, vitals, chat, vectors, postgres, redisDurable, redisCache
        /// Where each program tells an operator's tools its metrics.
        case gatewayOperator = "gateway_operator", usersOperator = "users_operator", vitalsOperator = "vitals_operator"
        case chatOperator = "chat_operator", vectorsOperator = "vectors_operator"

        /// The environment variable that sets it.
        var variable: String {
            switch self {
            case .redisDurable: "HEARTGUARD_REDIS_DURABLE_PORT"
            case .redisCache: "HEARTGUARD_REDIS_CACHE_PORT"
            default: "HEARTGUARD_\(rawValue.uppercased())_PORT"
            }
        }

        /// What a person's own cluster takes when it is free; below the ports that the kernel hands out for calls.
        var preferred: Int {
            switch self {
            case .gateway: 7443
            case .json: 8443
            case .users: 7101
            case .vitals: 7102
            case .chat: 7103
            case .vectors: 7104
            case .postgres: 7432
            case .redisDurable: 7379
            case .redisCache: 7380
            case .gatewayOperator: 7200
            case .usersOperator: 7201
            case .vitalsOperator: 7202
            case .chatOperator: 7203
            case .vectorsOperator: 7204
            }
        }
    }

    private var numbers: [String: Int] = [:]

    subscript(role: Role) -> Int {
        get { numbers[role.rawValue] ?? 0 }
        set { numbers[role.rawValue] = newValue }
    }

    init(from decoder: any Decoder) throws {
        numbers = try [String: Int](from: decoder)
        if let (role, number) = numbers.first(where: { !(1...65535).contains($0.value) }) {
            throw CommandFailure("\(role) is \(number), which is not a port number (1 to 65535).")
        }
    }

    func encode(to encoder: any Encoder) throws { try numbers.encode(to: encoder) }

    /// - kept: what an earlier run chose.
    /// - inUse: the roles whose program of this cluster runs now on its kept port.
    /// - isFree: whether nobody listens there.
    /// Throws when a configured port is no port, is given twice, or is taken.
    init(
        environment: [String: String], kept: Ports?, inUse: Set<Role>, prefersKnownPorts: Bool,
        isFree: (Int) -> Bool = Ports.isFree(_:)
    ) throws(CommandFailure) {
        var taken: [Int: Role] = [:]
        for role in Role.allCases {
            guard let port = try Self.given(role.variable, in: environment) else { continue }
            if let other = taken[port] {
                throw CommandFailure("\(other.variable) and \(role.variable) are both \(port). Give each a port of its own.")
            }
            guard (inUse.contains(role) && kept?[role] == port) || isFree(port) else {
                throw CommandFailure("port \(port) (\(role.variable)) is taken by another program. Stop it or choose another port.")
            }
            taken[port] = role
            self[role] = port
        }
        for role in Role.allCases where self[role] == 0 {
            let keptPort = kept?[role] ?? 0
            let candidates = [keptPort, prefersKnownPorts ? role.preferred : 0].filter { $0 != 0 && taken[$0] == nil }
            if keptPort != 0, taken[keptPort] == nil, inUse.contains(role) {
                self[role] = keptPort
            } else if let free = candidates.first(where: isFree) {
                self[role] = free
            } else {
                self[role] = try Self.anyFree(except: Set(taken.keys), isFree: isFree)
            }
            taken[self[role]] = role
        }
    }

    /// The port that a variable names, or the fallback where it names none. Throws for what is no port: a typo must not lead to another store.
    static func port(_ variable: String, in environment: [String: String], else fallback: Int) throws(CommandFailure) -> Int {
        try given(variable, in: environment) ?? fallback
    }

    private static func given(_ variable: String, in environment: [String: String]) throws(CommandFailure) -> Int? {
        guard let text = environment.given(variable) else { return nil }
        guard let port = Int(text), (1...65535).contains(port) else {
            throw CommandFailure("\(variable) is \"\(text)\", which is not a port number (1 to 65535).")
        }
        return port
    }

    /// Some free port from 20000 to 29999, which the kernel gives to nobody by itself.
    private static func anyFree(except taken: Set<Int>, isFree: (Int) -> Bool) throws(CommandFailure) -> Int {
        for _ in 0..<1000 {
            let port = Int.random(in: 20000..<30000)
            if !taken.contains(port), isFree(port) { return port }
        }
        throw CommandFailure("no free port was found between 20000 and 29999. Set \(Role.gateway.variable) and the like.")
    }

    /// Whether a server could listen there now.
    static func isFree(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var one: Int32 = 1
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe bind(descriptor, address, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                    && listen(descriptor, 1) == 0
            }
        }
    }
}

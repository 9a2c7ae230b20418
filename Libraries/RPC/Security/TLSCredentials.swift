internal import Logging
internal import NIOCore
internal import NIOSSL
internal import Synchronization

/// The certificates of one server or channel as their files have them now.
///
/// `refresh` reads the files again when they have changed and takes over what they hold if all of it can be used;
/// otherwise what was there before stays, and the log says once why.
final class TLSCredentials: Sendable {
    /// One state of the files, as new connections use it.
    struct Current: Sendable {
        let context: NIOSSLContext
        let material: TLSMaterial
        var roots: TrustRoots? { material.roots }
        /// Counts the states, from 0.
        let generation: Int
    }

    /// What a reading has changed.
    struct Change: Sendable {
        /// Who is trusted now, if that is another set than before.
        let roots: TrustRoots?
    }

    private struct Looking {
        var stamps: [FileStamp?]
        /// Files as they were when they could not be used, and whether the log says so.
        var refused: (stamps: [FileStamp?], isLogged: Bool)?
    }

    private enum Role: Sendable {
        case server(TLSFiles)
        case client(ClientTLS)

        /// A program has one server and many channels, mostly with the same files: once is enough.
        var logLevel: Logger.Level {
            switch self {
            case .server: .notice
            case .client: .debug
            }
        }
    }

    private let role: Role
    private let logger: Logger
    private let state: Mutex<Result<Current, TLSMaterial.Unusable>>
    private let looking: Mutex<Looking>

    convenience init(_ files: TLSFiles, logger: Logger) {
        self.init(role: .server(files), logger: logger)
    }

    convenience init(_ tls: ClientTLS, logger: Logger) {
        self.init(role: .client(tls), logger: logger)
    }

    private init(role: Role, logger: Logger) {
        self.role = role
        self.logger = logger
        let stamps = TLSCredentials.paths(of: role).map { FileStamp(path: $0) }
        let first = Result { () throws(TLSMaterial.Unusable) in try TLSCredentials.read(role, generation: 0) }
        state = Mutex(first)
        // Files that are of no use from the start are their user's to report.
        looking = Mutex(Looking(stamps: stamps, refused: first.failure == nil ? nil : (stamps, true)))
    }

    /// What new connections use. Throws while the files have never been of use.
    var current: Current {
        get throws(TLSMaterial.Unusable) { try state.withLock { $0 }.get() }
    }

    /// Looks whether the files have changed, and reads them if so: `nil` when nothing is different for new connections.
    /// It blocks on files, so an event loop does not call it.
    func refresh() -> Change? {
        looking.withLock { looking in
            let paths = TLSCredentials.paths(of: role)
            let stamps = paths.map { FileStamp(path: $0) }
            if stamps == looking.stamps, (try? current) != nil { return nil }
            if let refused = looking.refused, refused.isLogged, refused.stamps == stamps { return nil }
            let before = try? current
            do throws(TLSMaterial.Unusable) {
                let fresh = try TLSCredentials.read(role, generation: (before?.generation ?? -1) + 1)
                // Files that change while they are read are read again the next time.
                guard stamps == paths.map({ FileStamp(path: $0) }) else { return nil }
                state.withLock { $0 = .success(fresh) }
                looking = Looking(stamps: stamps)
                logger.log(
                    level: role.logLevel, "certificates replaced", metadata: ["files": "\(paths.joined(separator: " "))"])
                return Change(roots: fresh.roots == before?.roots ? nil : fresh.roots)
            } catch {
                // A certificate and its key are rarely replaced in one moment, so the second look decides.
                let wasRefused = looking.refused?.stamps == stamps
                looking.refused = (stamps, wasRefused)
                if wasRefused {
                    logger.error(
                        "changed certificates refused, the ones before stay in use", metadata: ["reason": "\(error)"])
                }
                return nil
            }
        }
    }

    private static func paths(of role: Role) -> [String] {
        switch role {
        case .server(let files): [files.certificateChain, files.privateKey, files.trustRoots].compactMap { $0 }
        case .client(let tls): [tls.certificateChain, tls.privateKey, tls.trustRoots].compactMap { $0 }
        }
    }

    private static func read(_ role: Role, generation: Int) throws(TLSMaterial.Unusable) -> Current {
        let material: TLSMaterial
        var configuration: TLSConfiguration
        switch role {
        case .server(let files):
            material = try TLSMaterial(chain: files.certificateChain, key: files.privateKey, roots: files.trustRoots)
            guard let key = material.key else { throw TLSMaterial.Unusable("A server needs a private key.") }
            configuration = .makeServerConfiguration(
                certificateChain: material.chain.map { .certificate($0) }, privateKey: .privateKey(key))
            if let roots = material.roots {
                configuration.trustRoots = .certificates(roots.certificates)
                configuration.certificateVerification =
                    files.callerCertificates == .required ? .noHostnameVerification : .optionalVerification
            }
        case .client(let tls):
            material = try TLSMaterial(chain: tls.certificateChain, key: tls.privateKey, roots: tls.trustRoots)
            configuration = .makeClientConfiguration()
            if let roots = material.roots { configuration.trustRoots = .certificates(roots.certificates) }
            configuration.certificateChain = material.chain.map { .certificate($0) }
            if let key = material.key { configuration.privateKey = .privateKey(key) }
        }
        configuration.minimumTLSVersion = .tlsv12
        // HTTP/2 has ended by then, and gRPC's C core never says that it closes too.
        configuration.shutdownTimeout = .milliseconds(100)
        configuration.applicationProtocols = ["h2"]
        do {
            return Current(
                context: try NIOSSLContext(configuration: configuration), material: material, generation: generation)
        } catch {
            // What BoringSSL says here is a certificate and a key that do not belong together.
            throw TLSMaterial.Unusable("\(paths(of: role).joined(separator: ", ")) cannot be used together.")
        }
    }
}

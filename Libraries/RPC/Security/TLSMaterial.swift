internal import FoundationEssentials
internal import Glibc
internal import NIOSSL
internal import X509

/// What the PEM files of one server or client hold, read and checked together.
struct TLSMaterial: Sendable {
    /// Why the files cannot be used, in a sentence that quotes nothing of what they hold.
    struct Unusable: Error, Hashable, CustomStringConvertible {
        let description: String

        init(_ description: String) { self.description = description }
    }

    let chain: [NIOSSLCertificate]
    let key: NIOSSLPrivateKey?
    /// `nil` when no file names any.
    let roots: TrustRoots?

    /// Reads what the paths name; a certificate without its key is of no use, nor is one that is past its time.
    init(chain chainPath: String?, key keyPath: String?, roots rootsPath: String?) throws(Unusable) {
        chain = if let chainPath { try TLSMaterial.certificates(chainPath) } else { [] }
        if let keyPath {
            let bytes = try TLSMaterial.contents(keyPath)
            do { key = try NIOSSLPrivateKey(bytes: bytes, format: .pem) } catch {
                throw Unusable("\(keyPath) holds no private key that can be read.")
            }
        } else {
            key = nil
        }
        if let leaf = chain.first, let chainPath {
            guard key != nil else { throw Unusable("\(chainPath) has no private key beside it.") }
            let certificate = try TLSMaterial.parse(leaf, from: chainPath)
            guard certificate.notValidAfter > .now else { throw Unusable("The certificate in \(chainPath) has expired.") }
        }
        if let rootsPath {
            let certificates = try TLSMaterial.certificates(rootsPath)
            var parsed: [Certificate] = []
            for certificate in certificates { parsed.append(try TLSMaterial.parse(certificate, from: rootsPath)) }
            roots = TrustRoots(certificates, parsed)
        } else {
            roots = nil
        }
    }

    private static func parse(_ certificate: NIOSSLCertificate, from path: String) throws(Unusable) -> Certificate {
        guard let parsed = Certificate(certificate) else {
            throw Unusable("\(path) holds a certificate that cannot be read.")
        }
        return parsed
    }

    private static func certificates(_ path: String) throws(Unusable) -> [NIOSSLCertificate] {
        let bytes = try contents(path)
        let certificates: [NIOSSLCertificate]
        do { certificates = try NIOSSLCertificate.fromPEMBytes(bytes) } catch {
            throw Unusable("\(path) holds no certificates that can be read.")
        }
        guard !certificates.isEmpty else { throw Unusable("\(path) holds no certificate.") }
        return certificates
    }

    /// More than any bundle of authorities that machines come with.
    private static let maxFileBytes = 4 << 20

    private static func contents(_ path: String) throws(Unusable) -> [UInt8] {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw Unusable("\(path) cannot be opened (error \(errno)).") }
        defer { close(file) }
        var contents: [UInt8] = []
        while contents.count <= maxFileBytes {
            var count = 0
            let part = unsafe [UInt8](unsafeUninitializedCapacity: 64 << 10) { place, filled in
                count = unsafe read(file, place.baseAddress, place.count)
                filled = max(0, count)
            }
            guard count >= 0 else { throw Unusable("\(path) cannot be read (error \(errno)).") }
            if count == 0 { return contents }
            contents += part
        }
        throw Unusable("\(path) is larger than \(maxFileBytes) bytes.")
    }
}

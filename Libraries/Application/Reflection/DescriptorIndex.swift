internal import Contracts

/// Which file of a FileDescriptorSet defines which symbol and which extension.
///
/// The numbers are those of google/protobuf/descriptor.proto.
struct DescriptorIndex: Sendable {
    private(set) var services: [String] = []
    private var files: [String: File] = [:]
    private var fileOfSymbol: [String: String] = [:]
    private var fileOfExtension: [String: [Int: String]] = [:]

    private struct File {
        let bytes: [UInt8]
        let dependencies: [String]
    }

    init(fileDescriptorSet: [UInt8]) {
        for field in WireReader(fileDescriptorSet[...]) where field.number == 1 { add(field.bytes) }
        services.sort()
    }

    /// The serialized file of the name and every file that it needs, the file itself first.
    func closure(ofFile name: String) -> [[UInt8]]? {
        guard files[name] != nil else { return nil }
        var found: [[UInt8]] = []
        var seen: Set<String> = [name]
        var waiting = [name]
        while !waiting.isEmpty {
            guard let file = files[waiting.removeFirst()] else { continue }
            found.append(file.bytes)
            waiting += file.dependencies.filter { seen.insert($0).inserted }
        }
        return found
    }

    func file(ofSymbol symbol: String) -> String? { fileOfSymbol[symbol] }

    func file(ofExtension number: Int, of type: String) -> String? { fileOfExtension[type]?[number] }

    /// The numbers of all extensions of a message, ascending; nil for a message that is not known.
    func extensionNumbers(of type: String) -> [Int]? {
        guard fileOfSymbol[type] != nil else { return nil }
        return (fileOfExtension[type]?.keys).map { $0.sorted() } ?? []
    }

    private mutating func add(_ bytes: ArraySlice<UInt8>) {
        let fields = Array(WireReader(bytes))
        guard let name = fields.first(where: { $0.number == 1 })?.text else { return }
        let package = fields.first { $0.number == 2 }?.text ?? ""
        files[name] = File(bytes: Array(bytes), dependencies: fields.filter { $0.number == 3 }.map(\.text))
        for field in fields {
            switch field.number {
            case 4: addMessage(field.bytes, in: package, file: name)
            case 5: addEnum(field.bytes, in: package, file: name)
            case 6: services.append(addParent(field.bytes, members: 2, in: package, file: name))
            case 7: addExtension(field.bytes, in: package, file: name)
            default: break
            }
        }
    }

    private mutating func addMessage(_ bytes: ArraySlice<UInt8>, in scope: String, file: String) {
        let message = addParent(bytes, members: 2, in: scope, file: file)
        for field in WireReader(bytes) {
            switch field.number {
            case 3: addMessage(field.bytes, in: message, file: file)
            case 4: addEnum(field.bytes, in: message, file: file)
            case 6: addExtension(field.bytes, in: message, file: file)
            case 8: addParent(field.bytes, members: 0, in: message, file: file)
            default: break
            }
        }
    }

    private mutating func addEnum(_ bytes: ArraySlice<UInt8>, in scope: String, file: String) {
        let name = addParent(bytes, members: 0, in: scope, file: file)
        for value in WireReader(bytes) where value.number == 2 {
            // A value is a sibling of its enum; both names are in use.
            addParent(value.bytes, members: 0, in: scope, file: file)
            addParent(value.bytes, members: 0, in: name, file: file)
        }
    }

    /// Adds something whose field 1 is its name, and its members, whose field 1 is theirs. Returns the full name.
    @discardableResult
    private mutating func addParent(
        _ bytes: ArraySlice<UInt8>, members: Int, in scope: String, file: String
    ) -> String {
        var name = scope
        for field in WireReader(bytes) where field.number == 1 { name = Self.join(scope, field.text) }
        fileOfSymbol[name] = file
        if members > 0 {
            for member in WireReader(bytes) where member.number == members {
                for field in WireReader(member.bytes) where field.number == 1 {
                    fileOfSymbol[Self.join(name, field.text)] = file
                }
            }
        }
        return name
    }

    private mutating func addExtension(_ bytes: ArraySlice<UInt8>, in scope: String, file: String) {
        addParent(bytes, members: 0, in: scope, file: file)
        let fields = Array(WireReader(bytes))
        guard let type = fields.first(where: { $0.number == 2 })?.text,
            let number = fields.first(where: { $0.number == 3 })?.value
        else { return }
        // The name begins with a dot because it is fully qualified.
        fileOfExtension[String(type.drop { $0 == "." }), default: [:]][Int(clamping: number)] = file
    }

    private static func join(_ scope: String, _ name: String) -> String { scope.isEmpty ? name : "\(scope).\(name)" }
}

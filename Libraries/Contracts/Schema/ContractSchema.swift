/// The messages and enums of the contracts as data, for what treats all messages alike: JSON and redaction.
package struct ContractSchema: Sendable {
    let messages: [String: MessageSchema]
    let enums: [String: EnumSchema]
    /// The same, by the places that fields name.
    private let messageList: [MessageSchema]
    private let enumList: [EnumSchema]

    /// Reads a serialized google.protobuf.FileDescriptorSet.
    package init(fileDescriptorSet: [UInt8]) {
        var messages: [String: SchemaReader.Message] = [:]
        var enums: [String: EnumSchema] = [:]
        for field in WireReader(fileDescriptorSet[...]) where field.number == 1 {
            var reader = SchemaReader(file: field.bytes)
            reader.read()
            messages.merge(reader.messages) { first, _ in first }
            enums.merge(reader.enums) { first, _ in first }
        }
        let (messageNames, enumNames) = (messages.keys.sorted(), enums.keys.sorted())
        let places = Dictionary(
            uniqueKeysWithValues: zip(messageNames, messageNames.indices).map { $0 } + zip(enumNames, enumNames.indices).map { $0 })
        messageList = messageNames.compactMap { name in
            messages[name].map { MessageSchema(fullName: name, fields: $0.fields.map { FieldSchema($0, typePlace: places[$0.typeName] ?? -1) }, isMapEntry: $0.isMapEntry) }
        }
        enumList = enumNames.compactMap { enums[$0] }
        self.messages = Dictionary(uniqueKeysWithValues: messageList.map { ($0.fullName, $0) })
        self.enums = enums
    }

    /// The type of a field's messages; `nil` if the contracts lack it.
    func message(of field: FieldSchema) -> MessageSchema? {
        field.kind == .message && field.typePlace >= 0 ? messageList[field.typePlace] : nil
    }

    /// The type of a field's enum values; `nil` if the contracts lack it.
    func enumeration(of field: FieldSchema) -> EnumSchema? {
        field.kind == .enumeration && field.typePlace >= 0 ? enumList[field.typePlace] : nil
    }
}

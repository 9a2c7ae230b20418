/// Why a text is not a value of a type. The sentence goes to the caller beside the field's name, so it never repeats
/// the text.
struct InvalidValue: Error, Equatable {
    let reason: String

    init(_ reason: String) { self.reason = reason }
}

import Application
import Contracts
import RPC
import Testing

@Suite struct `The violations of a request's fields` {
    @Test func `are reported together, each by its field and its sentence`() throws {
        var violations = FieldViolations()

        let even = violations.value("even", 3, Self.even)
        let absent = violations.optional("absent", nil, Self.even)
        let given = violations.optional("given", 5, Self.even)
        let text = violations.value("text", "\u{0}") { text throws(InvalidValue) in
            guard !text.hasNUL else { throw InvalidValue(sentence: "It must not hold a NUL character.") }
            return text
        }

        #expect(even == nil && absent == nil && given == nil && text == nil)
        let error = try #require(throws: RPCError.self) { try violations.complete(even, text) }
        #expect(error.code == .invalidArgument)
        let broken = try #require(error.detail(GoogleRPC.BadRequest.self)).fieldViolations
        #expect(broken.map(\.field) == ["even", "given", "text"])
        #expect(
            broken.map(\.description_p) == [
                "The field is not even.", "The field is not even.", "It must not hold a NUL character.",
            ])
    }

    @Test func `are told as far as an answer has room for them`() throws {
        var violations = FieldViolations()
        for place in 0..<1_000 { violations.add("documents[\(place)].id", "The field is empty.") }

        let error = try #require(throws: RPCError.self) { try violations.throwIfAny() }

        let told = try #require(error.detail(GoogleRPC.BadRequest.self)).fieldViolations
        #expect(error.message == "1000 fields of the request are not valid.")
        #expect(told.first?.field == "documents[0].id")
        #expect((50..<100).contains(told.count))
        #expect(error.details.count < 5 << 10)
    }

    @Test func `are none when every field is a value`() throws {
        var violations = FieldViolations()

        let even = violations.value("even", 2, Self.even)
        let given = violations.optional("given", 4, Self.even)

        let values = try violations.complete(even, given)
        #expect(values.0 == 2 && values.1 == 4)
    }

    @Test(arguments: [(0, 20), (1, 1), (100, 100), (101, 100), (Int32.max, 100)] as [(Int32, Int)])
    func `are none for a page of any size, of which there is a usual and a greatest`(asked: Int32, size: Int) throws {
        var violations = FieldViolations()

        let given = violations.pageSize(asked, usual: 20, most: 100)

        try violations.throwIfAny()
        #expect(given == size)
        let negative = violations.pageSize(-1, usual: 20, most: 100)
        #expect(negative == nil)
        #expect(throws: RPCError.self) { try violations.throwIfAny() }
    }

    @Test func `name what is wrong by another name outside a request`() {
        #expect(InvalidValue("is needed").sentence(about: "HEARTGUARD_X") == "HEARTGUARD_X is needed.")
        #expect(InvalidValue(sentence: "No key may be empty.").sentence(about: "HEARTGUARD_X") == "No key may be empty.")
    }

    private static func even(_ number: Int) throws(InvalidValue) -> Int {
        guard number.isMultiple(of: 2) else { throw InvalidValue("is not even") }
        return number
    }
}

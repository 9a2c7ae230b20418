internal import Application
internal import Contracts
internal import FoundationEssentials
internal import Postgres
internal import RPC
internal import Time

/// What providers are searched by. Everything that is set has to hold.
struct ProviderSearch: Hashable, Sendable {
    /// Beginnings of words of the name: letters and digits.
    var words: [String] = []
    var specialty: Provider.Specialty?
    var leastRating: Numeric?
    var language: String?
    var isTelehealthOnly = false
    var isInsuranceOnly = false

    /// Behind which provider a page goes on: one without a rating has 0.
    struct Place: Hashable, Sendable {
        let rating: Numeric
        let id: UUID
    }

    /// As a `tsquery` over what `users.provider_terms` makes; `nil` for everybody. Nothing in it can be taken for an operator: words are letters
    /// and digits without a quote in them, and the rest is ours.
    var terms: String? {
        var terms = words.map { "'\($0)':*" }
        if let specialty { terms.append("'=specialty \(specialty.rawValue)'") }
        if let language { terms.append("'=language \(language)'") }
        if isTelehealthOnly { terms.append("'=telehealth'") }
        if isInsuranceOnly { terms.append("'=insurance'") }
        return terms.isEmpty ? nil : terms.joined(separator: " & ")
    }

    /// What bounds the walk along the index of the best rated.
    func bounds(behind place: Place?) -> Query {
        let rest: Query = if let place { "AND (coalesce(rating, 0), id) < (\(place.rating), \(place.id))" } else { "" }
        let least: Query = if let leastRating { "AND coalesce(rating, 0) >= \(leastRating)" } else { "" }
        return "\(rest) \(least)"
    }
}

/// What a caller asks of `SearchProviders`.
struct ProviderList {
    let search: ProviderSearch
    let size: Int
    let place: ProviderSearch.Place?

    static let mostWords = 8

    init(_ request: UsersV1.SearchProvidersRequest) throws(RPCError) {
        var violations = FieldViolations()
        var search = ProviderSearch()
        search.words = violations.value("query", request.query, Self.words) ?? []
        search.specialty = request.specialty == .unspecified
            ? nil : violations.value("specialty", request.specialty, Provider.Specialty.init(_:))
        search.leastRating = request.minRating.isEmpty ? nil : violations.value("min_rating", request.minRating, Self.rating)
        search.language = request.language.isEmpty ? nil : violations.value("language", request.language, Self.language)
        search.isTelehealthOnly = request.telehealthOnly
        search.isInsuranceOnly = request.acceptsInsuranceOnly
        let size = violations.pageSize(request.pageSize, usual: 20, most: 100)
        self.size = try violations.complete(size)
        self.search = search
        place = try Self.place(request.pageToken, of: Self.query(search))
    }

    private static func words(_ given: String) throws(InvalidValue) -> [String] {
        let text = try PlainText(given, characters: 0...100, lines: false).text
        // What Swift takes for a letter may be one and what is written on top of it or behind it, which can be a quote too.
        let words = text.split { character in
            !character.isLetter && !character.isNumber || character.unicodeScalars.contains { $0 == "'" || $0 == "\\" }
        }.map(String.init)
        guard text.allSatisfy(\.isWhitespace) || !words.isEmpty else { throw InvalidValue("has no letter in it") }
        guard words.count <= mostWords else { throw InvalidValue("has more than \(mostWords) words") }
        return words
    }

    private static func rating(_ given: String) throws(InvalidValue) -> Numeric {
        let bytes = Array(given.utf8)
        let isRating = (bytes.count == 1 || (bytes.count == 3 && bytes[1] == UInt8(ascii: ".") && bytes[2].isASCIIDigit))
            && (UInt8(ascii: "1")...UInt8(ascii: "5")).contains(bytes[0])
        guard isRating, let rating = Numeric(given), bytes.count == 1 || bytes[0] < UInt8(ascii: "5") || bytes[2] == UInt8(ascii: "0")
        else { throw InvalidValue("is not a rating from 1 to 5 such as 4.5") }
        return rating
    }

    private static func language(_ given: String) throws(InvalidValue) -> String {
        let code = given.lowercased()
        guard (2...3).contains(code.utf8.count), code.utf8.allSatisfy({ $0.isASCIILetterOrDigit && !$0.isASCIIDigit }) else {
            throw InvalidValue("is not a code of ISO 639 such as en")
        }
        return code
    }

    private static func query(_ search: ProviderSearch) -> [String] {
        ["providers", search.terms ?? "", search.leastRating?.text ?? ""]
    }

    private static func place(_ token: String, of query: [String]) throws(RPCError) -> ProviderSearch.Place? {
        guard let key = try PageToken.key(token, of: query, parts: 2) else { return nil }
        guard let rating = Numeric(key[0]), let id = UUID(uuidString: key[1]) else { throw PageToken.invalid }
        return .init(rating: rating, id: id)
    }

    /// A page of what was read with one more than the page holds, which tells whether there is another page.
    func page(_ read: [Provider]) -> UsersV1.SearchProvidersResponse {
        let (page, next) = PageToken.page(read, of: size) { PageToken(Self.query(search) + [$0.rating?.text ?? "0", $0.id.uuidString]) }
        return UsersV1.SearchProvidersResponse(providers: page.map { .init($0) }, nextPageToken: next)
    }
}

/// What a caller asks of `ListFreeSlots`.
struct SlotList {
    let provider: UUID
    let period: Range<Instant>
    let size: Int
    /// Where the page begins, behind the slots of the pages before it.
    let rest: Range<Instant>

    static let mostDays = 31

    init(_ request: UsersV1.ListFreeSlotsRequest) throws(RPCError) {
        var violations = FieldViolations()
        let provider = violations.value("provider_id", request.providerId, UUID.init(parsing:))
        let start = violations.instant("start_at", request.startAt)
        let end = violations.instant("end_at", request.endAt)
        let size = violations.pageSize(request.pageSize, usual: 100, most: 500)
        if let start, let end {
            violations.check(start <= end, "end_at", "The field is before the start.")
            violations.check(end - start <= .seconds(Self.mostDays * 86_400), "end_at", "The time is longer than \(Self.mostDays) days.")
        }
        let ends = try violations.complete(start, end)
        (self.provider, self.size) = try violations.complete(provider, size)
        period = ends.0..<ends.1
        guard let place = try PageToken.place(request.pageToken, of: Self.query(self.provider, period)) else {
            rest = period
            return
        }
        guard period.contains(place.at) else { throw PageToken.invalid }
        rest = (place.at + .microseconds(1))..<ends.1
    }

    private static func query(_ provider: UUID, _ period: Range<Instant>) -> [String] {
        ["slots", provider.text, "\(period.lowerBound.microsecondsSinceEpoch)", "\(period.upperBound.microsecondsSinceEpoch)"]
    }

    /// A page of what was read with one more than the page holds, which tells whether there is another page.
    func page(_ read: [Slot]) -> UsersV1.ListFreeSlotsResponse {
        let (page, next) = PageToken.page(read, of: size) { PageToken(of: Self.query(provider, period), behind: $0.startsAt, provider) }
        return UsersV1.ListFreeSlotsResponse(slots: page.map { .init($0) }, nextPageToken: next)
    }
}

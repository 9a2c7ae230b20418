internal import Contracts
internal import Foundation
internal import Postgres
internal import RPC
internal import RecordTestSupport
internal import TestSupport
internal import Testing
internal import Time

@testable internal import Users

/// One for those who are searched: a crowd is in everybody's way.
private let crowdDatabase = Once<PostgresConfiguration> {
    let configuration = try await makeDatabase("users_provider_tests")
    // Of a hundred thousand one in eight is an Ada, each word of a second name has twenty, and whoever speaks Finnish is among the worst rated.
    try await PostgresServer.shared.psql(
        """
        INSERT INTO users.providers (id, name, specialty, languages, rating, offers_telehealth, accepts_insurance)
        SELECT gen_random_uuid(), (ARRAY['Ada','Bob','Carl','Dora','Eve','Fay','Gus','Hal'])[1 + n % 8] || ' ' || left(md5((n % 5000)::text), 8),
               (ARRAY['cardiology','nutrition','psychology','other'])[1 + n % 4], CASE WHEN n % 5000 = 0 THEN '{en,FI}'::text[] ELSE '{en}' END,
               CASE WHEN n % 5 = 0 THEN NULL ELSE 1 + (n % 41) / 10.0 END, n % 3 = 0, n % 2 = 0
        FROM generate_series(1, 100000) AS n;
        INSERT INTO users.providers (id, name, specialty, rating, is_active) VALUES (gen_random_uuid(), 'Zoë Müller-O''Hara', 'other', 1.1, true),
            (gen_random_uuid(), 'Zoe Gone', 'other', 5, false);
        ANALYZE users.providers;
        """, database: configuration.database)
    return configuration
}

@Suite(.timeLimit(.minutes(3))) struct `A search of providers` {
    private func withCrowd(_ body: (ProvidersService, Postgres) async throws -> Void) async throws {
        try await PostgresServer.withClient(crowdDatabase.value) { postgres in
            try await body(ProvidersService(providers: ProviderRepository(postgres: postgres)), postgres)
        }
    }

    private func names(_ service: ProvidersService, _ request: UsersV1.SearchProvidersRequest) async throws -> [String] {
        try await service.searchProviders(request, context: anonymous).providers.map(\.name)
    }

    @Test func `finds by the beginnings of words, in any order and case, and leaves out who cannot be booked`() async throws {
        try await withCrowd { service, _ in
            var found: [String: [String]] = [:]
            for query in ["zoë", "MÜLLER zo", "o'hara", "  mül-o ", "gone", "ller", "sample card"] {
                found[query] = try await names(service, .init(query: query))
            }
            for query in ["zoë", "MÜLLER zo", "o'hara", "  mül-o "] { #expect(found[query] == ["Zoë Müller-O'Hara"], "\(query)") }
            for query in ["gone", "ller"] { #expect(found[query] == [], "\(query)") }
            #expect(found["sample card"] == ["Sample Cardiologist"])
        }
    }

    @Test func `fulfils everything that is asked, the best first, whether many do or few`() async throws {
        try await withCrowd { service, _ in
            let many = try await service.searchProviders(
                .init(query: "ada", specialty: .cardiology, minRating: "4.5", telehealthOnly: true, acceptsInsuranceOnly: false, pageSize: 50),
                context: anonymous
            ).providers
            #expect(many.count == 50)
            #expect(many.allSatisfy { $0.name.hasPrefix("Ada ") && $0.specialty == .cardiology && $0.offersTelehealth })
            let ratings = many.compactMap { Double($0.rating ?? "0") }
            #expect(ratings == ratings.sorted(by: >) && ratings.allSatisfy { $0 >= 4.5 })

            let few = try await service.searchProviders(.init(language: "fi", pageSize: 100), context: anonymous).providers
            #expect(few.count == 20 && few.allSatisfy { $0.languages == ["en", "FI"] && $0.rating == nil })
            #expect(try await service.searchProviders(.init(minRating: "1", language: "fi"), context: anonymous).providers.isEmpty)
            #expect(try await service.searchProviders(.init(query: "ada zz"), context: anonymous).providers.isEmpty)
        }
    }

    @Test func `comes in pages that neither skip nor repeat anybody, also among equals`() async throws {
        try await withCrowd { service, postgres in
            let word = try #require(
                try await postgres.first("SELECT left(md5('77'), 8) AS word", as: Scalar<String>.self, mode: .readOnly)?.value)
            for (request, expected) in [
                (UsersV1.SearchProvidersRequest(query: word, pageSize: 3), 20), (.init(language: "fi", pageSize: 7), 20),
            ] {
                var (ids, token): ([String], String) = ([], "")
                repeat {
                    var request = request
                    request.pageToken = token
                    let page = try await service.searchProviders(request, context: anonymous)
                    ids += page.providers.map(\.id)
                    token = page.nextPageToken
                } while !token.isEmpty
                #expect(ids.count == expected && Set(ids).count == expected)
            }
            let page = try await service.searchProviders(.init(query: "ada", pageSize: 1), context: anonymous)
            for other in ["bob", "ad"] {
                await expect(.invalidArgument, fields: ["page_token"]) {
                    try await service.searchProviders(.init(query: other, pageSize: 1, pageToken: page.nextPageToken), context: anonymous)
                }
            }
        }
    }

    @Test func `takes nothing that is written for an operator of the search or a value of another field`() async throws {
        try await withCrowd { service, _ in
            for query in [
                "ada & !bob", "'ada':* | 'bob':*", "ada\\' bob", "telehealth=", "telehealth", "=tele", "specialty=cardiology", "spec", "language en",
                "ada <-> bob",
                // A letter that goes before others (of Malayalam, and of Sharada) makes one character with a quote.
                "\u{D4E}' zz", "ada \u{D4E}' | 'bob", "\u{111C2}\\ ada bob",
            ] {
                let found = try await names(service, .init(query: query))
                #expect(found.isEmpty, "\(query)")
            }
            await expect(.invalidArgument, fields: ["query", "specialty", "min_rating", "language", "page_size"]) {
                try await service.searchProviders(
                    .init(query: "&|!", specialty: .unrecognized(99), minRating: "5.1", language: "e'", pageSize: -1), context: anonymous)
            }
            for rating in ["0", "6", "4.55", "4,5", "-1", "NaN", "1.x"] {
                await expect(.invalidArgument, fields: ["min_rating"]) {
                    try await service.searchProviders(.init(minRating: rating), context: anonymous)
                }
            }
            for query in [String(repeating: "a ", count: 9), String(repeating: "a", count: 101), "a\u{0}"] {
                await expect(.invalidArgument, fields: ["query"]) { try await service.searchProviders(.init(query: query), context: anonymous) }
            }
            await expect(.invalidArgument, fields: ["provider_id"]) { try await service.getProvider(.init(providerId: "x"), context: anonymous) }
            await expect(.notFound) { try await service.getProvider(.init(providerId: UUID().text), context: anonymous) }
        }
    }

    @Test func `reads an index and no more of the table than it shows, or than fulfils it`() async throws {
        try await withCrowd { _, postgres in
            func plan(_ statement: Statement<Provider>) async throws -> String {
                try await postgres.rows(
                    "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) \(statement.query)", as: Scalar<String>.self, mode: .readOnly
                ).map(\.value).joined(separator: "\n")
            }
            var search = ProviderSearch(words: ["ada"])
            let many = try await plan(.amongBest(search, behind: nil, limit: 21))
            search.words = ["zo"]
            let few = try await plan(.among(all: search, behind: nil, limit: 21))

            #expect(many.contains("Index Scan using providers_best on providers"))
            // The walk stops when the page is full, long before its 3,000.
            #expect(many.firstMatch(of: /providers_best on providers \(actual rows=(\d+)/).map { (Int($0.1) ?? .max) < 500 } == true)
            #expect(few.contains("Bitmap Index Scan on providers_search"))
            #expect(!many.contains("Seq Scan on") && !few.contains("Seq Scan on"))
        }
    }
}

@Suite(.timeLimit(.minutes(3))) struct `The free slots of a provider` {
    private func slots(_ clinic: Clinic, _ provider: UUID, _ from: String, _ to: String) async throws -> [String] {
        let period = (try #require(Instant(rfc3339: from)), try #require(Instant(rfc3339: to)))
        return try await clinic.providers.listFreeSlots(
            .init(providerId: provider.text, startAt: .init(period.0), endAt: .init(period.1)), context: anonymous
        ).slots.map { slot in slot.startsAt.flatMap { Instant($0) }.map(\.rfc3339) ?? "" }
    }

    @Test func `are there once each on the days on which clocks are changed`() async throws {
        try await withClinic { clinic in
            let provider = try await Clinic.provider(zone: "America/New_York", hours: [("00:00", "04:00")], slotMinutes: 60)

            // 2027-03-14 goes from 02:00 EST to 03:00 EDT, 2027-11-07 from 02:00 EDT to 01:00 EST.
            #expect(
                try await slots(clinic, provider, "2027-03-14T00:00:00Z", "2027-03-15T00:00:00Z")
                    == ["2027-03-14T05:00:00Z", "2027-03-14T06:00:00Z", "2027-03-14T07:00:00Z"])
            #expect(
                try await slots(clinic, provider, "2027-11-07T00:00:00Z", "2027-11-08T00:00:00Z")
                    == (4...8).map { "2027-11-07T0\($0):00:00Z" })
            #expect(
                try await slots(clinic, provider, "2027-11-14T00:00:00Z", "2027-11-15T00:00:00Z")
                    == (5...8).map { "2027-11-14T0\($0):00:00Z" })
        }
    }

    @Test func `are those of the local days that the time touches, and within it`() async throws {
        try await withClinic { clinic in
            let provider = try await Clinic.provider(zone: "Pacific/Auckland", hours: [("09:00", "10:00")])

            // Nine o'clock on the 16th in Auckland (UTC+12) is the evening of the 15th in UTC.
            #expect(
                try await slots(clinic, provider, "2027-06-15T00:00:00Z", "2027-06-16T00:00:00Z")
                    == ["2027-06-15T21:00:00Z", "2027-06-15T21:30:00Z"])
            #expect(try await slots(clinic, provider, "2027-06-15T21:10:00Z", "2027-06-15T22:00:00Z") == ["2027-06-15T21:30:00Z"])
            #expect(try await slots(clinic, provider, "2027-06-15T21:00:00Z", "2027-06-15T21:59:00Z") == ["2027-06-15T21:00:00Z"])
        }
    }

    @Test func `are without what is booked or held, and come in pages`() async throws {
        try await withClinic { clinic in
            let provider = try await Clinic.provider()
            let ada = try await clinic.users.newcomer()
            _ = try await clinic.hold(Clinic.request(provider, Clinic.slot(1)), ada)
            _ = try await clinic.confirm(clinic.hold(Clinic.request(provider, Clinic.slot(9).lowerBound..<Clinic.slot(10).upperBound), ada), ada)
            var request = UsersV1.ListFreeSlotsRequest(
                providerId: provider.text, startAt: .init(Clinic.slot().lowerBound), endAt: .init(Clinic.slot(30).lowerBound), pageSize: 4)
            var (found, pages): ([GoogleProtobuf.Timestamp?], Int) = ([], 0)
            repeat {
                let page = try await clinic.providers.listFreeSlots(request, context: anonymous)
                found += page.slots.map(\.startsAt)
                request.pageToken = page.nextPageToken
                pages += 1
            } while !request.pageToken.isEmpty

            #expect(found == [0, 2, 3, 4, 5, 8, 11, 12, 13, 14, 15].map { .init(Clinic.slot($0).lowerBound) })
            #expect(pages == 3)
            request.pageToken = ""
            request.endAt = .init(Clinic.slot().lowerBound + .seconds(31 * 86_400 + 1))
            await expect(.invalidArgument, fields: ["end_at"]) { try await clinic.providers.listFreeSlots(request, context: anonymous) }
            await expect(.invalidArgument, fields: ["provider_id", "start_at", "end_at"]) {
                try await clinic.providers.listFreeSlots(.init(), context: anonymous)
            }
            request.providerId = UUID().text
            request.endAt = request.startAt
            await expect(.notFound) { try await clinic.providers.listFreeSlots(request, context: anonymous) }
        }
    }
}

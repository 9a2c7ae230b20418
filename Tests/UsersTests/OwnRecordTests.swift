internal import Application
internal import Contracts
internal import Foundation
internal import Postgres
internal import RPC
internal import RecordTestSupport
internal import TestSupport
internal import Testing
internal import Time

@testable internal import Users

@Suite(.timeLimit(.minutes(3))) struct `A person's own records` {
    private func withRecords(_ body: (UsersStand, RecordsService) async throws -> Void) async throws {
        try await withUsers { users in try await body(users, RecordsService(postgres: users.postgres)) }
    }

    private static func contact(_ name: String = "Bob", id: String = UUID().uuidString, primary: Bool = false) -> UsersV1.CreateEmergencyContactRequest {
        .init(id: id, name: name, relationship: .friend, phone: "+4930123456", primary: primary)
    }

    private static func insurance(_ number: String = UUID().uuidString, id: String = UUID().uuidString, primary: Bool = false) -> UsersV1.CreateInsuranceRequest {
        .init(
            id: id, insurer: "Insurer", planType: .statutory, policyNumber: number, holderName: "Ada", validFrom: "2026-01-01", primary: primary)
    }

    @Test func `of contacts are added once, changed by whoever read them last, and taken out`() async throws {
        try await withRecords { users, service in
            let (ada, bob) = (try await users.newcomer(), try await users.newcomer())
            let request = Self.contact()
            let made = try await withThrowingTaskGroup(of: UsersV1.EmergencyContact?.self) { group in
                for _ in 0..<8 { group.addTask { try await service.createEmergencyContact(request, context: ada).contact } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let first = try #require(made.first ?? nil)
            #expect(made.allSatisfy { $0 == first } && first.version == 1 && first.notify)
            var other = request
            other.name = "Carl"
            await expect(.alreadyExists) { try await service.createEmergencyContact(other, context: ada) }

            let change = UsersV1.UpdateEmergencyContactRequest(
                contactId: first.id, name: "Robert", email: "bob@example.org", notify: false, expectedVersion: 1)
            let changed = try #require(try await service.updateEmergencyContact(change, context: ada).contact)
            #expect(changed.name == "Robert" && changed.email == "bob@example.org" && !changed.notify && changed.version == 2)
            #expect(changed.phone == first.phone)
            await expect(.aborted) { try await service.updateEmergencyContact(change, context: ada) }
            let same = try await service.updateEmergencyContact(.init(contactId: first.id, name: "Robert"), context: ada)
            #expect(same.contact == changed)
            let without = try await service.updateEmergencyContact(.init(contactId: first.id, email: ""), context: ada)
            #expect(without.contact?.email == nil && without.contact?.version == 3)
            #expect(try await service.createEmergencyContact(request, context: ada).contact == without.contact)
            let masked = UsersV1.UpdateEmergencyContactRequest(
                contactId: first.id, name: "Carl", notes: "evenings", updateMask: .init(paths: ["notes", "notify"]))
            let noted = try await service.updateEmergencyContact(masked, context: ada).contact
            #expect(noted?.name == "Robert" && noted?.notes == "evenings" && noted?.notify == true && noted?.version == 4)

            #expect(try await service.listEmergencyContacts(.init(), context: bob).contacts.isEmpty)
            await expect(.notFound) { try await service.updateEmergencyContact(.init(contactId: first.id), context: bob) }
            await expect(.notFound) { try await service.deleteEmergencyContact(.init(contactId: first.id), context: bob) }
            _ = try await service.deleteEmergencyContact(.init(contactId: first.id), context: ada)
            await expect(.notFound) { try await service.deleteEmergencyContact(.init(contactId: first.id), context: ada) }
            #expect(try await service.listEmergencyContacts(.init(), context: ada).contacts.isEmpty)
        }
    }

    @Test func `have one that comes first, and a limit`() async throws {
        try await withRecords { users, service in
            let ada = try await users.newcomer()
            let outcomes = await withTaskGroup(of: RPCError?.self) { group in
                for number in 0..<14 {
                    group.addTask { await refusal { try await service.createEmergencyContact(Self.contact("n \(number)", primary: true), context: ada) } }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            let contacts = try await service.listEmergencyContacts(.init(), context: ada).contacts
            #expect(outcomes.count { $0 == nil } == 10 && contacts.count == 10)
            #expect(outcomes.compactMap(\.self).allSatisfy { $0.code == .resourceExhausted })
            #expect(contacts.map(\.primary) == [true] + Array(repeating: false, count: 9))
            // Who was put back has been changed, and whoever read it before is told so.
            #expect(contacts[1...].allSatisfy { $0.version == 2 })

            _ = try await service.updateEmergencyContact(.init(contactId: contacts[5].id, primary: true), context: ada)
            let after = try await service.listEmergencyContacts(.init(), context: ada).contacts
            #expect(after[0].id == contacts[5].id && after.count { $0.primary } == 1)
        }
    }

    @Test func `of insurances are one for each policy, and verified anew when something is told of them`() async throws {
        try await withRecords { users, service in
            let ada = try await users.newcomer()
            let user = try ada.caller().userID
            let request = Self.insurance("A-1", primary: true)
            let made = try #require(try await service.createInsurance(request, context: ada).insurance)
            #expect(made.status == .unverified && made.planType == .statutory && made.validUntil == nil)
            #expect(try await service.createInsurance(request, context: ada).insurance == made)
            await expect(.alreadyExists) { try await service.createInsurance(Self.insurance("A-1"), context: ada) }
            try await PostgresServer.shared.psql(
                "UPDATE users.insurance_info SET status = 'verified', verified_at = now() WHERE user_id = '\(user)'",
                database: try await usersDatabase().database)

            let second = try #require(try await service.createInsurance(Self.insurance("A-2", primary: true), context: ada).insurance)
            let listed = try await service.listInsurances(.init(), context: ada).insurances
            #expect(listed.map(\.policyNumber) == ["A-2", "A-1"] && listed.map(\.primary) == [true, false])
            #expect(listed[1].status == .verified)
            let primary = try await service.updateInsurance(.init(insuranceId: made.id, primary: true), context: ada).insurance
            #expect(primary?.status == .verified && primary?.primary == true)
            let changed = try await service.updateInsurance(.init(insuranceId: made.id, validUntil: "2026-12-31"), context: ada).insurance
            #expect(changed?.status == .unverified && changed?.validUntil == "2026-12-31")
            await expect(.invalidArgument, fields: ["valid_until"]) {
                try await service.updateInsurance(.init(insuranceId: made.id, validFrom: "2027-01-01"), context: ada)
            }
            let whole = UsersV1.UpdateInsuranceRequest(
                insuranceId: made.id, insurer: "Insurer", policyNumber: "A-1", holderName: "Ada", validFrom: "2026-01-01", primary: true,
                updateMask: .init(paths: ["*"]))
            let emptied = try await service.updateInsurance(whole, context: ada).insurance
            #expect(emptied?.planType == .unspecified && emptied?.validUntil == nil && emptied?.primary == true)
            await expect(.alreadyExists) {
                try await service.updateInsurance(.init(insuranceId: made.id, policyNumber: "A-2"), context: ada)
            }
            _ = try await service.deleteInsurance(.init(insuranceId: second.id), context: ada)
            #expect(try await service.listInsurances(.init(), context: ada).insurances.map(\.id) == [made.id])
        }
    }

    @Test func `of devices move with the token to whoever registers it last, and never tell it`() async throws {
        try await withRecords { users, service in
            let (ada, bob) = (try await users.newcomer(), try await users.newcomer())
            let token = "token-\(UUID().uuidString)"
            func register(_ context: RPCContext, _ token: String, name: String = "phone") async throws -> UsersV1.PushDevice {
                try #require(
                    try await service.registerPushDevice(.init(platform: .ios, pushToken: token, deviceName: name), context: context).device)
            }
            let first = try await register(ada, token)
            let again = try await register(ada, token, name: "new name")
            #expect(again.id == first.id && again.deviceName == "new name")
            #expect(!"\(again)".contains(token))

            let hers = try await register(bob, token)
            #expect(try await service.listPushDevices(.init(), context: ada).devices.isEmpty)
            #expect(try await service.listPushDevices(.init(), context: bob).devices.map(\.id) == [hers.id])

            // However many want one token at once, one has it.
            let crowd = try await withThrowingTaskGroup(of: RPCContext.self) { group in
                for _ in 0..<10 { group.addTask { try await users.newcomer() } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for person in crowd { group.addTask { _ = try await register(person, token) } }
                try await group.waitForAll()
            }
            let owners = try await PostgresServer.shared.psql(
                "SELECT count(*) FROM users.push_devices WHERE push_token = '\(token)'", database: try await usersDatabase().database)
            #expect(owners == "1")

            for number in 0..<20 { _ = try await register(ada, "\(token)-\(number)") }
            await expect(.resourceExhausted) { try await register(ada, "\(token)-20") }
            _ = try await register(ada, "\(token)-3")
            let devices = try await service.listPushDevices(.init(), context: ada).devices
            #expect(devices.count == 20)
            await expect(.notFound) { try await service.removePushDevice(.init(deviceId: devices[0].id), context: bob) }
            _ = try await service.removePushDevice(.init(deviceId: devices[0].id), context: ada)
            await expect(.notFound) { try await service.removePushDevice(.init(deviceId: devices[0].id), context: ada) }
            _ = try await register(ada, "\(token)-20")
        }
    }

    @Test func `of settings are any JSON, have versions, and are listed by category and key`() async throws {
        try await withRecords { users, service in
            let (ada, bob) = (try await users.newcomer(), try await users.newcomer())
            func set(_ key: String, _ value: JSONNode, _ version: Int64? = nil, in category: String = "app") async throws -> UsersV1.Preference {
                try #require(
                    try await service.setPreference(
                        .init(category: category, key: key, value: value.message, expectedVersion: version), context: ada
                    ).preference)
            }
            let deep = JSONNode.object(["a": .array([.number(1.5), .bool(true), .null, .string("Grüße ❤️")]), "b": .object([:])])
            let first = try await set("theme", deep, 0)
            #expect(first.version == 1 && first.value == deep.message)
            #expect(try await set("theme", deep, 0) == first)
            await expect(.aborted) { try await set("theme", .string("dark"), 0) }
            let second = try await set("theme", .string("dark"), 1)
            #expect(second.version == 2)
            await expect(.aborted) { try await set("font", .number(1), 1) }
            _ = try await set("font", .number(12))
            _ = try await set("days", .array([.number(1)]), in: "reminders")

            let name = UsersV1.GetPreferenceRequest(category: "app", key: "theme")
            #expect(try await service.getPreference(name, context: ada).preference == second)
            await expect(.notFound) { try await service.getPreference(name, context: bob) }
            #expect(try await service.listPreferences(.init(), context: ada).preferences.map(\.key) == ["font", "theme", "days"])
            #expect(try await service.listPreferences(.init(category: "app"), context: ada).preferences.count == 2)
            var (keys, token): ([String], String) = ([], "")
            repeat {
                let page = try await service.listPreferences(.init(pageSize: 1, pageToken: token), context: ada)
                keys += page.preferences.map(\.key)
                token = page.nextPageToken
            } while !token.isEmpty
            #expect(keys == ["font", "theme", "days"])
            let ofAll = try await service.listPreferences(.init(pageSize: 1), context: ada).nextPageToken
            await expect(.invalidArgument, fields: ["page_token"]) {
                try await service.listPreferences(.init(category: "app", pageToken: ofAll), context: ada)
            }
            _ = try await service.deletePreference(.init(category: "app", key: "theme"), context: ada)
            await expect(.notFound) { try await service.deletePreference(.init(category: "app", key: "theme"), context: ada) }
            #expect(try await set("theme", .null, 0).version == 1)
        }
    }

    @Test func `of an app are listed in pages that fit into an answer`() throws {
        let text = String(repeating: "x", count: 16_000)
        let kept = (100..<400).map { Preference(category: "app", key: "k\($0)", value: JSONB("\"\(text)\"")) }

        let page = try PreferenceList(.init()).page(kept)
        let rest = try PreferenceList(.init(pageToken: page.nextPageToken))

        #expect(page.preferences.count < 200)
        #expect(rest.place == PreferenceName(category: "app", key: kept[page.preferences.count - 1].key))
    }

    @Test func `are what makes sense, and every field that makes none is named`() async throws {
        try await withRecords { users, service in
            let ada = try await users.newcomer()
            await expect(.invalidArgument, fields: ["id", "name", "relationship", "phone"]) {
                try await service.createEmergencyContact(.init(), context: ada)
            }
            var contact = Self.contact()
            contact.phone = "911"
            contact.email = "bob@"
            contact.notes = "\u{0}"
            await expect(.invalidArgument, fields: ["phone", "email", "notes"]) {
                try await service.createEmergencyContact(contact, context: ada)
            }
            await expect(.invalidArgument, fields: ["id", "insurer", "policy_number", "holder_name", "valid_from"]) {
                try await service.createInsurance(.init(), context: ada)
            }
            var insurance = Self.insurance()
            insurance.validUntil = "2025-12-31"
            await expect(.invalidArgument, fields: ["valid_until"]) { try await service.createInsurance(insurance, context: ada) }
            await expect(.invalidArgument, fields: ["platform", "push_token"]) { try await service.registerPushDevice(.init(), context: ada) }
            await expect(.invalidArgument, fields: ["push_token", "locale"]) {
                try await service.registerPushDevice(.init(platform: .web, pushToken: "a b", locale: "de_DE"), context: ada)
            }
            await expect(.invalidArgument, fields: ["category", "key", "value"]) { try await service.setPreference(.init(), context: ada) }
            var deep = JSONNode.null
            for _ in 0..<8 { deep = .array([deep]) }
            for value in [deep, .string(String(repeating: "x", count: 16_385)), .object(["\u{0}": .null]), .number(.infinity)] {
                await expect(.invalidArgument, fields: ["value"]) {
                    try await service.setPreference(.init(category: "app", key: "k", value: value.message), context: ada)
                }
            }
            await expect(.notFound) { try await service.createEmergencyContact(Self.contact(), context: context(of: UUID())) }
            await expect(.notFound) {
                try await service.registerPushDevice(.init(platform: .web, pushToken: "\(UUID())"), context: context(of: UUID()))
            }
        }
    }

    @Test func `of settings have a limit`() async throws {
        try await withRecords { users, service in
            let ada = try await users.newcomer()
            try await PostgresServer.shared.psql(
                """
                INSERT INTO users.user_preferences (user_id, category, key, value)
                SELECT '\(try ada.caller().userID)', 'app', 'k' || n, '1' FROM generate_series(1, 500) AS n
                """, database: try await usersDatabase().database)
            let value = JSONNode.number(2).message
            await expect(.resourceExhausted) { try await service.setPreference(.init(category: "app", key: "new", value: value), context: ada) }
            let known = try await service.setPreference(.init(category: "app", key: "k7", value: value), context: ada)
            #expect(known.preference?.version == 2)
        }
    }
}

internal import Application
internal import struct FHIR.EntryReader
internal import Audit
internal import FHIR
internal import FoundationEssentials
internal import Postgres
internal import RPC
internal import RecordTestSupport
internal import Testing
internal import Time
internal import Tokens

@testable internal import Users

@Suite struct `The statements of Users` {
    @Test func `run on the migrated schema as the service's role, and do what they say`() async throws {
        let catalogue = try Self.catalogue() + JobStatements.catalogue(in: "users")

        try await withUsersDatabase { postgres in try await catalogue.expectSound(on: postgres) }
    }

    @Test func `are all in the catalogue`() throws {
        let shared = try StatementSources("Libraries/Application")

        try StatementSources("Services/Users").expectComplete(Self.catalogue(), with: [shared])
    }

    private static func catalogue() throws -> [CataloguedStatement] { try accounts() + records() + visits() }

    /// Accounts, sessions and consents.
    private static func accounts() throws -> [CataloguedStatement] {
        let user = UserID.make()
        let email = try EmailAddress("ada@example.org")
        let name = try PersonName("Ada")
        let profile = Profile(name: name)
        let account = NewAccount(email: email, password: try Password("correct horse battery"), profile: profile)
        let token = RefreshToken(userID: user.uuid)
        let moment = Instant(microsecondsSinceEpoch: 1_800_000_000_000_000)
        let session = NewSession(id: .make(), token: token, tokenExpiresAt: moment)
        let document = try DocumentVersion("2026-01")

        return try [
            .init(.insert(user, account, passwordHash: "hash", session: session)),
            .init(Statement<User>.find(user)),
            .init(Statement<User>.lock(user)),
            .init(.update(user, to: profile)),
            .init(.credentials(of: email)),
            .init(.credentials(of: user)),
            .init(.replacePasswordHash(of: user, "old", with: "new")),
            .init(.insertOperator(user, email: email, name: name, passwordHash: "hash")),
            .init(.operators(besides: email)),
            .init(.insert(session, of: user, whosePasswordIs: "hash", role: .user)),
            .init(.endOthers(than: session.id, of: user, accessUntil: moment)),
            .init(.countAttempt(for: email)),
            .init(.wait(for: email)),
            .init(.forgetAttempts(for: email)),
            .init(.forgetOldAttempts),
            .init(Statement<SessionRepository.StoredToken>.lock(token)),
            .init(.replace(token, with: token, of: session.id, expiresAt: moment)),
            .init(.forgetRefreshTokens(expiredBefore: .now() - .seconds(1), atMost: 1)),
            .init(.end(session.id, of: user, because: .logOut, accessUntil: moment)),
            .init(.endAll(of: user, upTo: session.id, accessUntil: moment)),
            .init(.isRevoked(session: session.id.uuid, of: user.uuid)),
            .init(.current(after: user.uuid, limit: 1)),
            .init(.forgetExpiredRevocations),
            .init(.give(.healthData, to: document, by: user)),
            .init(.withdraw(.healthData, by: user)),
            .init(.find(.healthData, of: user)),
            .init(Statement<Consent>.list(of: user)),
        ] + erasures(of: user, moment) + grants(of: user, email, moment) + exports(of: user, moment) + imports(of: user, moment)
    }

    private static func imports(of user: UserID, _ moment: Instant) throws -> [CataloguedStatement] {
        let subject = ImportSubject(import: UUID(), user: user.uuid)
        let digest = [UInt8](repeating: 0, count: 32)
        let wish = ImportWish(clientID: try ClientID("client"), format: .bundle, source: "source", byteCount: 1, sha256: digest)
        return [
            .init(.imports(of: user)),
            .init(.importJob(subject.import, of: user)),
            .init(.lockImport(subject.import, of: user)),
            .init(.knownProviders([user.uuid])),
            .init(.chunk(of: subject, at: 1)),
            .init(.unfinishedImports(requestedBefore: moment)),
            .init(.removeExpiredImports),
            .init(.countAppointments(of: user)),
            .init(.appointments([user.uuid], of: user)),
            .init(.start(subject.import, wish, of: user)),
            .init(.removeExpiredImport(wish.clientID, of: user)),
            .init(.removeImport(subject.import, of: user)),
            .init(.append([1], at: 0, to: subject.import, of: user)),
            .init(.beginTaking(subject)),
            .init(.goOn(subject, from: .init(), to: .init(entry: 1, byte: 1), ImportCounts())),
            .init(.finishImport(subject, at: .init())),
            .init(.failImport(subject, because: "reason")),
        ]
    }

    private static func grants(of user: UserID, _ email: EmailAddress, _ moment: Instant) -> [CataloguedStatement] {
        func wish(_ clinician: ClinicianName) -> GrantWish {
            GrantWish(id: UUID(), clinician: clinician, scopes: [.vitalsRead], purpose: "purpose", expiresAt: moment)
        }
        return [
            .init(.isGranted([.vitalsRead, .chatRead], by: user.uuid)),
            .init(.assign(.clinician, to: user)),
            .init(.grant(user.uuid, by: user)),
            .init(.grants(by: user, after: nil, limit: 1)),
            .init(.grants(by: user, after: user.uuid, limit: 1)),
            .init(.give(wish(.id(UUID())), by: user)),
            .init(.give(wish(.email(email)), by: user)),
            .init(.endGrant(user.uuid, by: user)),
            .init(.endGrant(to: .email(email), by: user)),
            .init(.endGrants(by: user)),
            .init(.endGrants(to: user)),
            .init(.endGrants(byOrTo: user)),
            .init(.countGrants(besidesTo: .id(user.uuid), by: user)),
            .init(.patients(of: user, after: nil, limit: 1)),
            .init(.patients(of: user, after: user.uuid, limit: 1)),
        ]
    }

    private static func exports(of user: UserID, _ moment: Instant) throws -> [CataloguedStatement] {
        let subject = ExportSubject(export: UUID(), user: user.uuid)
        let clientID = try ClientID("client")
        let next = ExportChunk.Next(teller: "users", place: nil)
        return [
            .init(.exports(of: user)),
            .init(.export(subject.export, of: user)),
            .init(.chunk(of: subject.export, user, at: 1)),
            .init(.lastChunk(of: subject)),
            .init(.unfinishedExports(requestedBefore: moment)),
            .init(.removeExpiredExports),
            .init(.lockAccount(user)),
            .init(.start(subject.export, clientID, as: .jsonLines, of: user)),
            .init(.removeExpired(clientID, of: user)),
            .init(.removeExport(subject.export, of: user)),
            .init(.append(ExportChunk(firstByte: 0, content: [1], counts: ["type": 1], next: next), to: subject)),
            .init(.finish(subject, sha256: [UInt8](repeating: 0, count: 32))),
            .init(.fail(subject, because: "reason")),
            .init(.providersSeen(by: user, behind: nil, limit: 1)),
            .init(.providersSeen(by: user, behind: user.uuid, limit: 1)),
            .init(.appointmentsInOrder(of: user, behind: nil, limit: 1)),
            .init(.appointmentsInOrder(of: user, behind: user.uuid, limit: 1)),
        ]
    }

    private static func erasures(of user: UserID, _ moment: Instant) -> [CataloguedStatement] {
        let erasure = ErasureID.make()
        return [
            .init(.closing(user)),
            .init(.unfinished(requestedBefore: moment)),
            .init(.begin(erasure, by: .user)),
            .init(.find(erasure)),
            .init(.holdUnfinished(erasure)),
            .init(.removeAccount(for: erasure)),
            .init(.close(user, for: erasure)),
            .init(.forgetEvents(of: user)),
            .init(.finish(erasure, at: moment, receipt: "receipt")),
        ] + ErasureStatements.catalogue(in: "users") + KeptAnswerStatements.catalogue(in: "users") + ExportStatements.catalogue(in: "users", table: "sessions")
    }

    private static func records() throws -> [CataloguedStatement] {
        let id = UUID()
        let user = UserID(id)
        let moment = Instant(microsecondsSinceEpoch: 1_800_000_000_000_000)
        let day = CivilDate(year: 2026, month: 11, day: 25)
        let appointment = Users.Appointment(
            id: id, providerID: id, appointmentType: .consultation, startsAt: moment, endsAt: moment, reason: "reason",
            confirmationCode: "ABC123", paidAmount: Numeric(0))
        let place = AccessQuery.Place(occurredAt: moment, writer: id, sequence: 1)
        let accesses = AccessQuery(action: .read, start: moment, end: moment, place: place, limit: 1)
        let event = CalendarEvent(id: id, kind: .other, title: "title", startsAt: moment, endsAt: moment)
        let contact = EmergencyContact(id: id, name: "name", relationship: .friend, phone: "phone")
        let insurance = InsuranceInfo(id: id, insurer: "insurer", policyNumber: "1", holderName: "name", validFrom: day)
        let preference = Preference(category: "category", key: "key", value: JSONB("1"))
        let device = PushDevice(id: id, platform: .ios, pushToken: "token", lastSeenAt: moment)
        let notification = UserNotification(id: id, kind: .goal, channel: .push, title: "title", scheduledAt: moment)

        return [
            .init(.insert(appointment, of: user)),
            .init(.replace(appointment, of: user)),
            .init(.appointments(with: id, of: user, limit: 1)),
            .init(.accessEvents(of: user, accesses)),
            .init(.newestArchive),
            .init(.insert(event, of: user)),
            .init(.replace(event, of: user)),
            .init(.insert(contact, of: user)),
            .init(.replace(contact, of: user)),
            .init(.insert(insurance, of: user)),
            .init(.replace(insurance, of: user)),
            .init(.set([preference], of: user)),
            .init(Statement<Preference>.list(of: user, in: nil, behind: nil, limit: 1)),
            .init(Statement<Preference>.list(of: user, in: "app", behind: PreferenceName(category: "app", key: "theme"), limit: 1)),
            .init(.removePreference("key", in: "category", of: user)),
            .init(Statement<Provider>.find(id)),
            .init(Statement<Provider>.list(.cardiology, limit: 1)),
            .init(.hours(of: id, on: day)),
            .init(.bookings(of: id, from: moment, to: moment)),
            .init(.insert(device, of: user)),
            .init(.replace(device, of: user)),
            .init(.standing(user)),
            .init(.notify(notification, user)),
            .init(.markSent(id, of: user)),
            .init(.sent(to: user, unreadOnly: true, behind: nil, limit: 1)),
            .init(.sent(to: user, unreadOnly: true, behind: (moment, id), limit: 1)),
            .init(.markRead(id, of: user)),
            .init(.insert(notification, of: user)),
            .init(.replace(notification, of: user)),
        ] + AppointmentRepository.statements + CalendarEventRepository.statements + EmergencyContactRepository.statements
            + InsuranceInfoRepository.statements + PushDeviceRepository.statements + UserNotificationRepository.statements
    }

    /// Providers, appointments and calendars.
    private static func visits() throws -> [CataloguedStatement] {
        let id = UUID()
        let user = UserID(id)
        let moment = Instant(microsecondsSinceEpoch: 1_800_000_000_000_000)
        let time = moment..<(moment + .seconds(1_800))
        let client = try ClientID("client")
        let all = ProviderSearch()
        let narrow = ProviderSearch(
            words: ["ada"], specialty: .cardiology, leastRating: Numeric(4), language: "en", isTelehealthOnly: true, isInsuranceOnly: true)
        let place = ProviderSearch.Place(rating: Numeric(4), id: id)
        let wish = AppointmentWish(
            clientID: client, provider: id, time: time, type: .test, reason: "reason", isTelehealth: false, reminder: .day)

        return [
            .init(.amongBest(all, behind: nil, limit: 1)),
            .init(.amongBest(narrow, behind: place, limit: 1)),
            .init(.among(all: narrow, behind: nil, limit: 1)),
            .init(.among(all: narrow, behind: place, limit: 1)),
            .init(.freeSlots(of: id, in: time, limit: 1)),
            .init(.lockHolds(of: user)),
            .init(.lockBookings(of: id)),
            .init(.holds(of: user)),
            .init(.offer(of: id, at: time)),
            .init(.endHolds(of: id, within: time, besides: nil)),
            .init(.keepInsurance(id, of: user)),
            .init(.appointment(client, of: user)),
            .init(.hold(wish, timeZone: "UTC", isTelehealth: false, code: "ABC123", life: .seconds(1), of: user)),
            .init(.lock(id, of: user)),
            .init(.move(id, of: user, to: .cancelled, reason: nil)),
            .init(.reschedule(id, of: user, to: time)),
            .init(.follow(id, of: user)),
            .init(.visit(id, of: user)),
            .init(.cancelReminders(of: id, user)),
            .init(Statement<Users.Appointment>.list(of: user, [], in: time, behind: nil, limit: 1)),
            .init(Statement<Users.Appointment>.list(of: user, [.expired], in: time, behind: (moment, id), limit: 1)),
            .init(.consentHistory(of: user, nil, behind: nil, limit: 1)),
            .init(.consentHistory(of: user, .research, behind: (moment, id), limit: 1)),
            .init(.put(try Picture(Pictures.png()), of: user)),
            .init(.removeAvatar(of: user)),
            .init(.avatar(of: user)),
            .init(.picture(of: user)),
            .init(.lockRecords(of: user)),
            .init(.demoteOthers(than: id, of: user, in: EmergencyContact.table)),
            .init(.demoteOthers(than: id, of: user, in: InsuranceInfo.table)),
            .init(.countRecords(of: user, in: PreferenceRepository.table)),
            .init(Statement<EmergencyContact>.ownRecords(of: user, in: EmergencyContact.table, limit: 1)),
            .init(Statement<InsuranceInfo>.ownRecords(of: user, in: InsuranceInfo.table, limit: 1)),
            .init(.takePushToken("token")),
            .init(.knowsPushToken("token", of: user)),
            .init(.register(PushDevice(id: id, platform: .ios, pushToken: "token", lastSeenAt: moment), of: user)),
            .init(.preference("key", in: "category", of: user)),
            .init(.lockCalendar(of: user)),
            .init(.ownEvents(of: user)),
            .init(.event(client, of: user)),
            .init(.lockEvent(id, of: user)),
            .init(.events(of: user, in: time, withCancelled: false, behind: nil, limit: 1)),
            .init(.events(of: user, in: time, withCancelled: true, behind: (moment, id), limit: 1)),
        ]
    }
}

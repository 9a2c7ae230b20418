internal import Application
internal import Contracts
internal import FoundationEssentials
internal import RPC
internal import Time

extension PushDevice {
    init(_ request: UsersV1.RegisterPushDeviceRequest) throws(RPCError) {
        var violations = FieldViolations()
        let platform = violations.value("platform", request.platform, Platform.init(_:))
        let token = violations.value("push_token", request.pushToken) { given throws(InvalidValue) in
            guard !given.isEmpty else { throw InvalidValue("is needed") }
            guard given.utf8.count <= 4_096, given.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
                throw InvalidValue("must be 4096 printable ASCII characters at most, without spaces")
            }
            return given
        }
        let name = violations.optional("device_name", request.deviceName) { given throws(InvalidValue) in
            try PlainText(given, characters: 1...200, lines: false).text
        }
        let version = violations.optional("app_version", request.appVersion) { given throws(InvalidValue) in
            try PlainText(given, characters: 1...64, lines: false).text
        }
        let locale = violations.optional("locale", request.locale) { given throws(InvalidValue) in
            guard (2...35).contains(given.utf8.count), given.utf8.allSatisfy({ $0.isASCIILetterOrDigit || $0 == UInt8(ascii: "-") })
            else { throw InvalidValue("is not a tag of BCP 47 such as de-DE") }
            return given
        }
        let needed = try violations.complete(platform, token)
        self.init(
            id: UUIDv7.make(), platform: needed.0, pushToken: needed.1, deviceName: name, appVersion: version, locale: locale,
            lastSeenAt: .now())
    }
}

extension UsersV1.PushDevice {
    init(_ device: PushDevice) {
        self.init(
            id: device.id.text, platform: .init(device.platform), deviceName: device.deviceName, appVersion: device.appVersion,
            locale: device.locale, lastSeenAt: .init(device.lastSeenAt))
    }
}

extension PushDevice.Platform {
    init(_ platform: UsersV1.PushPlatform) throws(InvalidValue) {
        switch platform {
        case .ios: self = .ios
        case .android: self = .android
        case .web: self = .web
        case .unspecified: throw InvalidValue("is needed")
        default: throw InvalidValue("is none of the values that this version knows")
        }
    }
}

extension UsersV1.PushPlatform {
    init(_ platform: PushDevice.Platform) {
        self = switch platform {
        case .ios: .ios
        case .android: .android
        case .web: .web
        }
    }
}

extension PreferenceName {
    /// Throws INVALID_ARGUMENT on `category` and `key`.
    init(_ category: String, _ key: String) throws(RPCError) {
        var violations = FieldViolations()
        let category = violations.value("category", category, PreferenceName.category)
        let key = violations.value("key", key, PreferenceName.key)
        (self.category, self.key) = try violations.complete(category, key)
    }
}

extension UsersV1.SetPreferenceRequest {
    func parsed() throws(RPCError) -> (PreferenceName, JSONNode) {
        var violations = FieldViolations()
        let category = violations.value("category", category, PreferenceName.category)
        let key = violations.value("key", key, PreferenceName.key)
        let value = violations.value("value", value) { given throws(InvalidValue) in
            guard let given else { throw InvalidValue("is needed") }
            let value = JSONNode(given)
            try value.check()
            return value
        }
        violations.check(version: expectedVersion, least: 0)
        let parsed = try violations.complete(category, key, value)
        return (PreferenceName(category: parsed.0, key: parsed.1), parsed.2)
    }
}

/// What a caller asks of `ListPreferences`.
struct PreferenceList {
    /// `nil` for every category.
    let category: String?
    let size: Int
    let place: PreferenceName?

    init(_ request: UsersV1.ListPreferencesRequest) throws(RPCError) {
        var violations = FieldViolations()
        category = request.category.isEmpty ? nil : violations.value("category", request.category, PreferenceName.category)
        let size = violations.pageSize(request.pageSize, usual: 500, most: 500)
        self.size = try violations.complete(size)
        place = try PageToken.key(request.pageToken, of: Self.query(category), parts: 2).map { PreferenceName(category: $0[0], key: $0[1]) }
    }

    private static func query(_ category: String?) -> [String] { ["preferences", category ?? ""] }

    /// A page of what was read with one more than the page holds, which tells whether there is another page.
    func page(_ read: [Preference]) throws -> UsersV1.ListPreferencesResponse {
        let (page, next) = try PageToken.page(read, of: size, telling: { try UsersV1.Preference($0) }) {
            PageToken(Self.query(category) + [$0.category, $0.key])
        }
        return UsersV1.ListPreferencesResponse(preferences: page, nextPageToken: next)
    }
}

extension UsersV1.Preference {
    init(_ preference: Preference) throws {
        self.init(
            category: preference.category, key: preference.key, value: try JSONNode(preference.value).message,
            version: preference.version)
    }
}

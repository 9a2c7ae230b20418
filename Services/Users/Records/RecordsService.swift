internal import Application
internal import Contracts
internal import FoundationEssentials
internal import Postgres
internal import RPC

/// The methods of `heartguard.users.v1.RecordsService`: each parses its request, does one thing and answers.
struct RecordsService: Sendable {
    let contacts: OwnRecords<EmergencyContact>
    let insurances: OwnRecords<InsuranceInfo>
    let devices: PushDevices
    let preferences: Preferences

    init(postgres: Postgres) {
        contacts = OwnRecords(postgres: postgres, most: RecordLimit.contacts)
        insurances = OwnRecords(postgres: postgres, most: RecordLimit.insurances)
        devices = PushDevices(postgres: postgres)
        preferences = Preferences(postgres: postgres)
    }
}

extension RecordsService: UsersV1.RecordsServiceProtocol {
    func createEmergencyContact(
        _ request: UsersV1.CreateEmergencyContactRequest, context: RPCContext
    ) async throws -> UsersV1.CreateEmergencyContactResponse {
        let user = UserID(try context.caller().userID)
        return .init(contact: .init(try await contacts.add(try EmergencyContact(request), of: user)))
    }

    func listEmergencyContacts(
        _ request: UsersV1.ListEmergencyContactsRequest, context: RPCContext
    ) async throws -> UsersV1.ListEmergencyContactsResponse {
        .init(contacts: try await contacts.list(of: UserID(try context.caller().userID)).map { .init($0) })
    }

    func updateEmergencyContact(
        _ request: UsersV1.UpdateEmergencyContactRequest, context: RPCContext
    ) async throws -> UsersV1.UpdateEmergencyContactResponse {
        let user = UserID(try context.caller().userID)
        let (id, change) = try request.parsed()
        return .init(
            contact: .init(try await contacts.update(id, of: user, expectedVersion: request.expectedVersion, change)))
    }

    func deleteEmergencyContact(
        _ request: UsersV1.DeleteEmergencyContactRequest, context: RPCContext
    ) async throws -> UsersV1.DeleteEmergencyContactResponse {
        let user = UserID(try context.caller().userID)
        try await contacts.remove(try UUID.named("contact_id", request.contactId), of: user)
        return .init()
    }

    func createInsurance(
        _ request: UsersV1.CreateInsuranceRequest, context: RPCContext
    ) async throws -> UsersV1.CreateInsuranceResponse {
        let user = UserID(try context.caller().userID)
        return .init(insurance: .init(try await insurances.add(try InsuranceInfo(request), of: user)))
    }

    func listInsurances(
        _ request: UsersV1.ListInsurancesRequest, context: RPCContext
    ) async throws -> UsersV1.ListInsurancesResponse {
        .init(insurances: try await insurances.list(of: UserID(try context.caller().userID)).map { .init($0) })
    }

    func updateInsurance(
        _ request: UsersV1.UpdateInsuranceRequest, context: RPCContext
    ) async throws -> UsersV1.UpdateInsuranceResponse {
        let user = UserID(try context.caller().userID)
        let (id, change) = try request.parsed()
        return .init(
            insurance: .init(try await insurances.update(id, of: user, expectedVersion: request.expectedVersion, change)))
    }

    func deleteInsurance(
        _ request: UsersV1.DeleteInsuranceRequest, context: RPCContext
    ) async throws -> UsersV1.DeleteInsuranceResponse {
        let user = UserID(try context.caller().userID)
        try await insurances.remove(try UUID.named("insurance_id", request.insuranceId), of: user)
        return .init()
    }

    func registerPushDevice(
        _ request: UsersV1.RegisterPushDeviceRequest, context: RPCContext
    ) async throws -> UsersV1.RegisterPushDeviceResponse {
        let user = UserID(try context.caller().userID)
        return .init(device: .init(try await devices.register(try PushDevice(request), of: user)))
    }

    func listPushDevices(
        _ request: UsersV1.ListPushDevicesRequest, context: RPCContext
    ) async throws -> UsersV1.ListPushDevicesResponse {
        .init(devices: try await devices.list(of: UserID(try context.caller().userID)).map { .init($0) })
    }

    func removePushDevice(
        _ request: UsersV1.RemovePushDeviceRequest, context: RPCContext
    ) async throws -> UsersV1.RemovePushDeviceResponse {
        let user = UserID(try context.caller().userID)
        try await devices.remove(try UUID.named("device_id", request.deviceId), of: user)
        return .init()
    }

    func setPreference(
        _ request: UsersV1.SetPreferenceRequest, context: RPCContext
    ) async throws -> UsersV1.SetPreferenceResponse {
        let user = UserID(try context.caller().userID)
        let (name, value) = try request.parsed()
        let set = try await preferences.set(value, name, of: user, expectedVersion: request.expectedVersion)
        return .init(preference: try .init(set))
    }

    func getPreference(
        _ request: UsersV1.GetPreferenceRequest, context: RPCContext
    ) async throws -> UsersV1.GetPreferenceResponse {
        let user = UserID(try context.caller().userID)
        let name = try PreferenceName(request.category, request.key)
        guard let found = try await preferences.find(name, of: user) else { throw RecordError.notFound }
        return .init(preference: try .init(found))
    }

    func listPreferences(
        _ request: UsersV1.ListPreferencesRequest, context: RPCContext
    ) async throws -> UsersV1.ListPreferencesResponse {
        let user = UserID(try context.caller().userID)
        let list = try PreferenceList(request)
        return try list.page(try await preferences.list(list, of: user))
    }

    func deletePreference(
        _ request: UsersV1.DeletePreferenceRequest, context: RPCContext
    ) async throws -> UsersV1.DeletePreferenceResponse {
        let user = UserID(try context.caller().userID)
        try await preferences.remove(try PreferenceName(request.category, request.key), of: user)
        return .init()
    }
}

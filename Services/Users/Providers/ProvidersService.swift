internal import Application
internal import Contracts
internal import FoundationEssentials
internal import RPC

/// The methods of `heartguard.users.v1.ProvidersService`.
struct ProvidersService: Sendable {
    let providers: ProviderRepository
}

extension ProvidersService: UsersV1.ProvidersServiceProtocol {
    func searchProviders(
        _ request: UsersV1.SearchProvidersRequest, context: RPCContext
    ) async throws -> UsersV1.SearchProvidersResponse {
        let list = try ProviderList(request)
        // One more than asked for tells whether there is a next page.
        return list.page(try await providers.search(list.search, behind: list.place, limit: list.size + 1))
    }

    func getProvider(_ request: UsersV1.GetProviderRequest, context: RPCContext) async throws -> UsersV1.GetProviderResponse {
        guard let provider = try await providers.find(try request.parsed()) else { throw AppointmentError.providerNotFound }
        return UsersV1.GetProviderResponse(provider: .init(provider))
    }

    func listFreeSlots(
        _ request: UsersV1.ListFreeSlotsRequest, context: RPCContext
    ) async throws -> UsersV1.ListFreeSlotsResponse {
        let list = try SlotList(request)
        guard try await providers.find(list.provider) != nil else { throw AppointmentError.providerNotFound }
        return list.page(try await providers.freeSlots(of: list.provider, in: list.rest, limit: list.size + 1))
    }
}

extension UsersV1.GetProviderRequest {
    func parsed() throws(RPCError) -> UUID {
        var violations = FieldViolations()
        let id = violations.value("provider_id", providerId, UUID.init(parsing:))
        return try violations.complete(id)
    }
}

internal import Application
internal import Contracts
internal import RPC

/// The method of `heartguard.users.v1.AccessLogService`.
struct AccessLogService: Sendable {
    let log: AccessLogRepository
}

extension AccessLogService: UsersV1.AccessLogServiceProtocol {
    func listAccessEvents(
        _ request: UsersV1.ListAccessEventsRequest, context: RPCContext
    ) async throws -> UsersV1.ListAccessEventsResponse {
        let caller = try context.caller()
        let list = try AccessEventList(request)
        // One more than asked for tells whether there is a next page.
        let (events, completeSince) = try await log.list(of: UserID(caller.userID), list.query)
        return list.page(events, completeSince: completeSince)
    }
}

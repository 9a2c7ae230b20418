internal import Application
internal import Contracts
internal import RPC

/// The methods of `heartguard.users.v1.AvatarsService`.
struct AvatarsService: Sendable {
    let avatars: AvatarRepository
}

extension AvatarsService: UsersV1.AvatarsServiceProtocol {
    func uploadAvatar(_ request: UsersV1.UploadAvatarRequest, context: RPCContext) async throws -> UsersV1.UploadAvatarResponse {
        let caller = try context.caller()
        return .init(avatar: .init(try await avatars.put(try request.parsed(), of: UserID(caller.userID))))
    }

    func getAvatar(_ request: UsersV1.GetAvatarRequest, context: RPCContext) async throws -> UsersV1.GetAvatarResponse {
        guard let kept = try await avatars.find(of: UserID(try context.caller().userID)) else { throw UsersError.noAvatar }
        return .init(avatar: .init(kept.avatar), content: kept.content)
    }

    func deleteAvatar(_ request: UsersV1.DeleteAvatarRequest, context: RPCContext) async throws -> UsersV1.DeleteAvatarResponse {
        guard try await avatars.remove(of: UserID(try context.caller().userID)) else { throw UsersError.noAvatar }
        return .init()
    }
}

extension UsersV1.UploadAvatarRequest {
    func parsed() throws(RPCError) -> Picture {
        var violations = FieldViolations()
        let picture = violations.value("content", content, Picture.init(_:))
        return try violations.complete(picture)
    }
}

extension UsersV1.Avatar {
    init(_ avatar: Avatar) {
        self.init(
            mediaType: avatar.mediaType.rawValue, width: avatar.width, height: avatar.height, sha256: avatar.sha256,
            updatedAt: .init(avatar.updatedAt))
    }
}

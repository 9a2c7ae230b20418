import Contracts
import Foundation
import RPC
import Testing

/// One value that Python protobuf wrote, on the wire and in JSON.
struct GoldenValue: Decodable, Sendable, CustomTestStringConvertible {
    let message: String
    let bytes: Data
    let json: String

    var wire: [UInt8] { [UInt8](bytes) }
    var testDescription: String { "\(message) of \(bytes.count) bytes" }

    /// Every value of the file that make_golden.py writes.
    static let all: [GoldenValue] = {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden/golden.jsonl")
        guard let text = try? String(contentsOf: file, encoding: .utf8) else { return [] }
        return text.split(separator: "\n").compactMap { try? JSONDecoder().decode(GoldenValue.self, from: Data($0.utf8)) }
    }()

    /// The type of a value, by the name of its message.
    static let types: [String: any ContractMessage.Type] = Dictionary(
        uniqueKeysWithValues: list.map { ($0.fullName, $0) })

    private static let list: [any ContractMessage.Type] = [
        ChatV1.Session.self,
        ChatV1.Message.self,
        ChatV1.CreateSessionRequest.self,
        ChatV1.CreateSessionResponse.self,
        ChatV1.GetSessionRequest.self,
        ChatV1.GetSessionResponse.self,
        ChatV1.ListSessionsRequest.self,
        ChatV1.ListSessionsResponse.self,
        ChatV1.NewMessage.self,
        ChatV1.AppendMessagesRequest.self,
        ChatV1.AppendMessagesResponse.self,
        ChatV1.ListMessagesRequest.self,
        ChatV1.ListMessagesResponse.self,
        ChatV1.TypedValue.self,
        ChatV1.CheckpointChannel.self,
        ChatV1.CheckpointWrite.self,
        ChatV1.Checkpoint.self,
        ChatV1.PutCheckpointRequest.self,
        ChatV1.PutCheckpointResponse.self,
        ChatV1.PutWritesRequest.self,
        ChatV1.PutWritesResponse.self,
        ChatV1.GetCheckpointRequest.self,
        ChatV1.GetCheckpointResponse.self,
        ChatV1.ListCheckpointsRequest.self,
        ChatV1.ListCheckpointsResponse.self,
        ChatV1.DeleteThreadRequest.self,
        ChatV1.DeleteThreadResponse.self,
        ChatV1.CopyThreadRequest.self,
        ChatV1.CopyThreadResponse.self,
        ChatV1.PruneThreadsRequest.self,
        ChatV1.PruneThreadsResponse.self,
        ChatV1.DeleteRunsRequest.self,
        ChatV1.DeleteRunsResponse.self,
        GatewayV1.Part.self,
        GatewayV1.GetPatientOverviewRequest.self,
        GatewayV1.GetPatientOverviewResponse.self,
        MonitoringV1.ListStatementsRequest.self,
        MonitoringV1.ListStatementsResponse.self,
        MonitoringV1.StatementPerformance.self,
        MonitoringV1.HistogramBucket.self,
        MonitoringV1.ListSlowQueriesRequest.self,
        MonitoringV1.ListSlowQueriesResponse.self,
        MonitoringV1.SlowQuery.self,
        MonitoringV1.ListConnectionPoolsRequest.self,
        MonitoringV1.ListConnectionPoolsResponse.self,
        MonitoringV1.ConnectionPool.self,
        MonitoringV1.ListStoreHealthRequest.self,
        MonitoringV1.ListStoreHealthResponse.self,
        MonitoringV1.StoreHealth.self,
        PolicyV1.MethodPolicy.self,
        TelemetryV1.Distribution.self,
        TelemetryV1.ListMethodMetricsRequest.self,
        TelemetryV1.ListMethodMetricsResponse.self,
        TelemetryV1.MethodMetrics.self,
        UsersV1.User.self,
        UsersV1.TokenPair.self,
        UsersV1.Consent.self,
        UsersV1.RegisterRequest.self,
        UsersV1.RegisterResponse.self,
        UsersV1.LogInRequest.self,
        UsersV1.LogInResponse.self,
        UsersV1.RefreshTokenRequest.self,
        UsersV1.RefreshTokenResponse.self,
        UsersV1.LogOutEverywhereRequest.self,
        UsersV1.LogOutEverywhereResponse.self,
        UsersV1.LogOutRequest.self,
        UsersV1.LogOutResponse.self,
        UsersV1.GetProfileRequest.self,
        UsersV1.GetProfileResponse.self,
        UsersV1.UpdateProfileRequest.self,
        UsersV1.UpdateProfileResponse.self,
        UsersV1.GiveConsentRequest.self,
        UsersV1.GiveConsentResponse.self,
        UsersV1.WithdrawConsentRequest.self,
        UsersV1.WithdrawConsentResponse.self,
        UsersV1.ListConsentsRequest.self,
        UsersV1.ListConsentsResponse.self,
        VectorsV1.Collection.self,
        VectorsV1.Document.self,
        VectorsV1.Match.self,
        VectorsV1.CreateCollectionRequest.self,
        VectorsV1.CreateCollectionResponse.self,
        VectorsV1.ListCollectionsRequest.self,
        VectorsV1.ListCollectionsResponse.self,
        VectorsV1.UpsertDocumentsRequest.self,
        VectorsV1.UpsertDocumentsResponse.self,
        VectorsV1.SearchRequest.self,
        VectorsV1.SearchResponse.self,
        VectorsV1.DeleteDocumentsRequest.self,
        VectorsV1.DeleteDocumentsResponse.self,
        VitalsV1.Quantity.self,
        VitalsV1.Component.self,
        VitalsV1.Observation.self,
        VitalsV1.Device.self,
        VitalsV1.Sample.self,
        VitalsV1.RecordObservationsRequest.self,
        VitalsV1.RecordObservationsResponse.self,
        VitalsV1.ListObservationsRequest.self,
        VitalsV1.ListObservationsResponse.self,
        VitalsV1.GetLatestObservationsRequest.self,
        VitalsV1.GetLatestObservationsResponse.self,
        VitalsV1.RegisterDeviceRequest.self,
        VitalsV1.RegisterDeviceResponse.self,
        VitalsV1.ListDevicesRequest.self,
        VitalsV1.ListDevicesResponse.self,
        VitalsV1.AppendSamplesRequest.self,
        VitalsV1.AppendSamplesResponse.self,
        VitalsV1.ListSamplesRequest.self,
        VitalsV1.ListSamplesResponse.self,
    ]
}

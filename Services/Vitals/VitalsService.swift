internal import Application
internal import Contracts
internal import RPC

/// The methods of `heartguard.vitals.v1.VitalsService`: each parses its request, does one thing and answers.
struct VitalsService: Sendable {
    let observations: ObservationRepository
    let latest: LatestObservations
    let devices: DeviceRepository
    let samples: SampleRepository
}

extension VitalsService: VitalsV1.VitalsServiceProtocol {
    func recordObservations(
        _ request: VitalsV1.RecordObservationsRequest, context: RPCContext
    ) async throws -> VitalsV1.RecordObservationsResponse {
        let batch = try NewObservation.batch(request)
        let user = try context.userID
        let recorded = try await latest.changing(of: user) { try await observations.record(batch, of: user) }
        return VitalsV1.RecordObservationsResponse(
            recordedCount: Int32(recorded.newCount),
            duplicateCount: Int32(batch.count - recorded.newCount),
            ids: recorded.ids.map(\.text))
    }

    func listObservations(
        _ request: VitalsV1.ListObservationsRequest, context: RPCContext
    ) async throws -> VitalsV1.ListObservationsResponse {
        let list = try ObservationList(request)
        let page = list.page(
            try await observations.list(
                list.code, of: try context.userID, in: list.period, after: list.place, limit: list.size + 1))
        return VitalsV1.ListObservationsResponse(
            observations: page.observations.map(VitalsV1.Observation.init), nextPageToken: page.nextPageToken)
    }

    func getLatestObservations(
        _ request: VitalsV1.GetLatestObservationsRequest, context: RPCContext
    ) async throws -> VitalsV1.GetLatestObservationsResponse {
        let codes = try LatestQuery(request).codes
        return VitalsV1.GetLatestObservationsResponse(observations: try await latest.of(try context.userID, codes))
    }

    func registerDevice(
        _ request: VitalsV1.RegisterDeviceRequest, context: RPCContext
    ) async throws -> VitalsV1.RegisterDeviceResponse {
        let (device, isNew) = try await devices.register(try NewDevice(request), of: try context.userID)
        return VitalsV1.RegisterDeviceResponse(device: .init(device), created: isNew)
    }

    func listDevices(
        _ request: VitalsV1.ListDevicesRequest, context: RPCContext
    ) async throws -> VitalsV1.ListDevicesResponse {
        let devices = try await devices.list(of: try context.userID)
        return VitalsV1.ListDevicesResponse(devices: devices.map(VitalsV1.Device.init))
    }

    func appendSamples(
        _ request: VitalsV1.AppendSamplesRequest, context: RPCContext
    ) async throws -> VitalsV1.AppendSamplesResponse {
        let batch = try SampleBatch(request)
        let newCount = try await samples.append(batch.samples, batch.metric, of: batch.device, try context.userID)
        return VitalsV1.AppendSamplesResponse(
            recordedCount: Int32(newCount), duplicateCount: Int32(batch.samples.count - newCount))
    }

    func listSamples(
        _ request: VitalsV1.ListSamplesRequest, context: RPCContext
    ) async throws -> VitalsV1.ListSamplesResponse {
        let list = try SampleList(request)
        let page = list.page(
            try await samples.list(
                list.metric, of: list.device, try context.userID, in: list.period, after: list.place,
                limit: list.size + 1))
        return VitalsV1.ListSamplesResponse(
            samples: page.samples.map(VitalsV1.Sample.init), nextPageToken: page.nextPageToken)
    }
}

extension RPCContext {
    /// Whose data the call is about: the caller's own.
    fileprivate var userID: UserID {
        get throws(RPCError) { UserID(try caller().userID) }
    }
}

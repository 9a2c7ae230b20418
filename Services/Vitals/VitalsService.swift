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
        return list.page(
            try await observations.list(
                list.code, of: try context.userID, in: list.period, on: list.ownDay, after: list.place, limit: list.size + 1))
    }

    func getLatestObservations(
        _ request: VitalsV1.GetLatestObservationsRequest, context: RPCContext
    ) async throws -> VitalsV1.GetLatestObservationsResponse {
        let query = try LatestQuery(request)
        let observations = try await latest.of(try context.userID, query.codes, pastMemory: context.metadata.asksPastMemory)
        return VitalsV1.GetLatestObservationsResponse(observations: observations.map { $0.converted(to: query.units) })
    }

    func correctObservation(
        _ request: VitalsV1.CorrectObservationRequest, context: RPCContext
    ) async throws -> VitalsV1.CorrectObservationResponse {
        let correction = try Correction(request)
        let user = try context.userID
        let corrected = try await latest.changing(of: user) {
            try await observations.change(correction.id, of: user, expectedVersion: correction.expectedVersion, correction.change(of:))
        }
        return VitalsV1.CorrectObservationResponse(observation: .init(corrected))
    }

    func retractObservation(
        _ request: VitalsV1.RetractObservationRequest, context: RPCContext
    ) async throws -> VitalsV1.RetractObservationResponse {
        let retraction = try Retraction(request)
        let user = try context.userID
        let retracted = try await latest.changing(of: user) {
            try await observations.change(retraction.id, of: user, expectedVersion: retraction.expectedVersion, retraction.change(of:))
        }
        return VitalsV1.RetractObservationResponse(observation: .init(retracted))
    }

    func listObservationHistory(
        _ request: VitalsV1.ListObservationHistoryRequest, context: RPCContext
    ) async throws -> VitalsV1.ListObservationHistoryResponse {
        let (id, size, version) = try request.parsed()
        let found = try await observations.history(of: id, behind: version, limit: size + 1, try context.userID)
        let (page, next) = PageToken.page(found, of: size) {
            VitalsV1.ListObservationHistoryRequest.token(of: id, behind: $0.observation.version)
        }
        return VitalsV1.ListObservationHistoryResponse(versions: page.map(VitalsV1.ObservationVersion.init), nextPageToken: next)
    }

    func listDailySummaries(
        _ request: VitalsV1.ListDailySummariesRequest, context: RPCContext
    ) async throws -> VitalsV1.ListDailySummariesResponse {
        let query = try DailyQuery(request)
        let summaries = try await observations.summaries(
            query.code, query.component, on: query.days, merging: query.merge, of: try context.userID)
        return VitalsV1.ListDailySummariesResponse(days: query.answer(summaries))
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

    func renameDevice(_ request: VitalsV1.RenameDeviceRequest, context: RPCContext) async throws -> VitalsV1.RenameDeviceResponse {
        let (id, name) = try request.parsed()
        return VitalsV1.RenameDeviceResponse(device: .init(try await devices.rename(id, name, of: try context.userID)))
    }

    func deactivateDevice(
        _ request: VitalsV1.DeactivateDeviceRequest, context: RPCContext
    ) async throws -> VitalsV1.DeactivateDeviceResponse {
        let id = DeviceID(try .init(named: "device_id", request.deviceId))
        return VitalsV1.DeactivateDeviceResponse(device: .init(try await devices.deactivate(id, of: try context.userID)))
    }

    func appendSamples(
        _ request: VitalsV1.AppendSamplesRequest, context: RPCContext
    ) async throws -> VitalsV1.AppendSamplesResponse {
        let batch = try SampleBatch(request)
        let appended = try await samples.append(batch.samples, .channel(batch.metric), of: batch.device, try context.userID).appended
        let kept = Int(appended.newCount + appended.correctedCount)
        return VitalsV1.AppendSamplesResponse(recordedCount: Int32(kept), duplicateCount: Int32(batch.samples.count - kept))
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
    var userID: UserID {
        get throws(RPCError) { UserID(try caller().userID) }
    }
}

internal import Application
internal import Contracts
internal import FoundationEssentials
internal import RPC
internal import Time

/// The methods of `heartguard.vitals.v1.SeriesService`: each parses its request, does one thing and answers.
struct SeriesService: Sendable {
    let samples: SampleRepository
    let reader: SeriesReader
}

extension SeriesService: VitalsV1.SeriesServiceProtocol {
    func appendSamples(
        _ requests: RequestStream<VitalsV1.SeriesServiceAppendSamplesRequest>,
        responses: ResponseWriter<VitalsV1.SeriesServiceAppendSamplesResponse>, context: RPCContext
    ) async throws {
        let user = try context.userID
        let end = try context.caller().tokenExpiresAt
        var target: SeriesTarget?
        var progress = VitalsV1.SeriesServiceAppendSamplesResponse()
        // A message is read when the one before it is kept, so a sender that is faster waits.
        for try await request in requests {
            let batch = try request.parsed(after: target)
            guard Instant.now() < end else {
                throw RPCError(.unauthenticated, "The access token has expired. Go on with a new one, behind what was answered.")
            }
            let (appended, lastSequence) = try await samples.append(batch.samples, batch.target.metric, of: batch.target.device, user)
            target = batch.target
            progress.acceptedCount += Int64(batch.samples.count)
            progress.recordedCount += appended.newCount
            progress.correctedCount += appended.correctedCount
            progress.lastSequence = lastSequence
            try await responses.write(progress)
        }
    }

    func readSeries(
        _ request: VitalsV1.ReadSeriesRequest, responses: ResponseWriter<VitalsV1.ReadSeriesResponse>, context: RPCContext
    ) async throws {
        let query = try SeriesQuery(request)
        let user = try context.userID
        let series = SeriesKey(user: user, device: query.device, metric: query.metric)
        _ = try await reader.list(of: query.device, user, limit: 1)
        switch query.form {
        case .raw:
            try await reader.raw(series, in: query.period) { try await responses.write(.init(samples: $0.map { .init($0) })) }
        case .plot(let points):
            try await reader.plot(series, in: query.period, points: points) { try await responses.write(.init(samples: $0.map { .init($0) })) }
        case .buckets(let grid):
            try await reader.buckets(series, grid, in: query.period) { buckets in
                try await responses.write(.init(buckets: buckets.map { .init($0.bucket, from: $0.start, to: $0.end) }))
            }
        }
    }

    func listSeries(_ request: VitalsV1.ListSeriesRequest, context: RPCContext) async throws -> VitalsV1.ListSeriesResponse {
        let (device, size, metric) = try request.parsed()
        let found = try await reader.list(of: device, try context.userID, behind: metric, limit: size + 1)
        let (page, next) = PageToken.page(found, of: size) { VitalsV1.ListSeriesRequest.token(of: device, behind: $0.metric.name) }
        return VitalsV1.ListSeriesResponse(series: page.map { .init($0, of: device) }, nextPageToken: next)
    }
}

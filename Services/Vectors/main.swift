internal import Application

await Program.main("vectors") {
    let configuration = try VectorsConfiguration(environment: .process)
    EventLoops.share(configuration.common.eventLoops)
    try await VectorsApplication(configuration).run()
}

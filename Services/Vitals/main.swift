internal import Application

await Program.main("vitals") {
    let configuration = try VitalsConfiguration(environment: .process)
    EventLoops.share(configuration.common.eventLoops)
    try await VitalsApplication(configuration).run()
}

internal import Application

await Program.main("chat") {
    let configuration = try ChatConfiguration(environment: .process)
    EventLoops.share(configuration.common.eventLoops)
    try await ChatApplication(configuration).run()
}

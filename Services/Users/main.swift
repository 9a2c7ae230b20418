internal import Application

await Program.main("users") {
    let configuration = try UsersConfiguration(environment: .process)
    EventLoops.share(configuration.common.eventLoops)
    try await UsersApplication(configuration).run()
}

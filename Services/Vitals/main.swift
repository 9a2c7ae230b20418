internal import Application

let configuration = try VitalsConfiguration(environment: .process)
EventLoops.share(configuration.common.eventLoops)
try await VitalsApplication(configuration).run()

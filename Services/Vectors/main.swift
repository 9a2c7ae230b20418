internal import Application

let configuration = try VectorsConfiguration(environment: .process)
EventLoops.share(configuration.common.eventLoops)
try await VectorsApplication(configuration).run()

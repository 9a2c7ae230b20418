// swift-tools-version: 6.2
import PackageDescription

/// The settings that every target shares: unsafe code is marked where it stands, and a warning is an error.
let settings: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// What HTTP2 and RPC touch belongs to one event loop each, and what Postgres touches to one lock for each connection. Debug builds, and so the tests, check every access of a
/// property for overlap as Swift does by default; in a release the checks are a fifteenth of what a call costs.
let loopBound: [SwiftSetting] = [
    .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))
]

/// What computes for long is optimised in debug builds too, and keeps its assertions there: its tests, and those of a whole cluster, would compute
/// many times as long.
let optimised: [SwiftSetting] = [
    .unsafeFlags(["-O", "-assert-config", "Debug"], .when(configuration: .debug))
]
let optimisedC: [CSetting] = [.unsafeFlags(["-O2"], .when(configuration: .debug))]

let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioTLS: Target.Dependency = .product(name: "NIOTLS", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let x509: Target.Dependency = .product(name: "X509", package: "swift-certificates")
let asn1: Target.Dependency = .product(name: "SwiftASN1", package: "swift-asn1")
let coreMetrics: Target.Dependency = .product(name: "CoreMetrics", package: "swift-metrics")
let instrumentation: Target.Dependency = .product(name: "Instrumentation", package: "swift-distributed-tracing")
let tracing: Target.Dependency = .product(name: "Tracing", package: "swift-distributed-tracing")
let inMemoryTracing: Target.Dependency = .product(name: "InMemoryTracing", package: "swift-distributed-tracing")
let histogram: Target.Dependency = .product(name: "Histogram", package: "hdrhistogram-swift")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let jwtKit: Target.Dependency = .product(name: "JWTKit", package: "jwt-kit")
let configuration: Target.Dependency = .product(name: "Configuration", package: "swift-configuration")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore: Target.Dependency = .product(name: "HummingbirdCore", package: "hummingbird")
let hummingbirdTLS: Target.Dependency = .product(name: "HummingbirdTLS", package: "hummingbird")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

/// A C library of the system: a module map and nothing else, imported by one Swift module.
func system(_ name: String, pkgConfig: String, debian package: String) -> Target {
    .systemLibrary(name: name, path: "Libraries/\(name)", pkgConfig: pkgConfig, providers: [.apt([package])])
}

func library(
    _ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource] = [], also: [SwiftSetting] = []
) -> Target {
    .target(
        name: name, dependencies: dependencies, path: "Libraries/\(name)", resources: resources,
        swiftSettings: settings + also)
}

func service(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .executableTarget(
        name: name, dependencies: ["Application", "Contracts", "RPC", "Time", logging] + dependencies,
        path: "Services/\(name)", swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: [.byName(name: name)] + dependencies, path: "Tests/\(name)Tests",
        swiftSettings: settings)
}

/// What the tests of a service that keeps records are written with.
let serviceTests: [Target.Dependency] = [
    "Application", "ConnectionPool", "Contracts", "DatabaseTestSupport", "Migrations", "Postgres", "RecordTestSupport", "RPC", "Schema",
    "TestSupport", "Time", logging,
]

let package = Package(
    name: "HeartGuard",
    products: [
        .executable(name: "heartguard", targets: ["HeartGuardCommand"]),
        .executable(name: "interop-server", targets: ["InteropServer"]),
        .executable(name: "interop-client", targets: ["InteropClient"]),
        .executable(name: "heartguard-users", targets: ["Users"]),
        .executable(name: "heartguard-vitals", targets: ["Vitals"]),
        .executable(name: "heartguard-chat", targets: ["Chat"]),
        .executable(name: "heartguard-vectors", targets: ["Vectors"]),
        .executable(name: "heartguard-gateway", targets: ["Gateway"]),
        .executable(name: "rpc-bench", targets: ["RPCBench"]),
        .executable(name: "postgres-bench", targets: ["PostgresBench"]),
        .executable(name: "redis-bench", targets: ["RedisBench"]),
        .executable(name: "hnsw-bench", targets: ["VectorsBench"]),
        .executable(name: "vectors-client-bench", targets: ["VectorsClientBench"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.0"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.0"),
    ],
    targets: [
        // C libraries
        .systemLibrary(name: "CMalloc", path: "Libraries/CMalloc"),
        system("CZlib", pkgConfig: "zlib", debian: "zlib1g-dev"),
        system("CLZ4", pkgConfig: "liblz4", debian: "liblz4-dev"),
        system("CNghttp2", pkgConfig: "libnghttp2", debian: "libnghttp2-dev"),
        system("CProtobuf", pkgConfig: "libprotobuf-c", debian: "libprotobuf-c-dev"),
        system("CPostgres", pkgConfig: "libpq", debian: "libpq-dev"),
        system("CHiredis", pkgConfig: "hiredis", debian: "libhiredis-dev"),
        .systemLibrary(name: "CEpoll", path: "Libraries/CEpoll"),
        system("CArgon2", pkgConfig: "libargon2", debian: "libargon2-dev"),

        // Libraries, from the ground up
        library("Time"),
        library("ConnectionPool"),
        library("Postgres", ["CEpoll", "CPostgres", "ConnectionPool", "Time", logging], also: loopBound),
        library("Migrations", ["Postgres", "Time", logging, crypto]),
        library("Schema", ["Migrations"], resources: [.embedInCode("Revisions")]),
        library("Redis", ["CHiredis", "Time", nioCore, nioPosix, nioSSL, logging, crypto]),
        library("Resilience", ["Redis", "Time"]),
        library("LZ4", ["CLZ4"]),
        library("Cache", ["LZ4", "Redis", "Time", histogram, logging]),
        library("Jobs", ["Postgres", "Redis", "Time", logging]),
        library("Audit", ["Postgres", "Redis", "Time", logging, crypto]),
        library("Gzip", ["CZlib"]),
        library("HTTP2", ["CNghttp2"], also: loopBound),
        library("RPC", ["Gzip", "HTTP2", "Time", nioCore, nioPosix, nioTLS, nioSSL, logging, x509, asn1], also: loopBound),
        .target(name: "CDistance", path: "Libraries/CDistance", cSettings: optimisedC),
        .target(name: "CChecksum", path: "Libraries/CChecksum", cSettings: optimisedC),
        .target(name: "CContracts", dependencies: ["CProtobuf"], path: "Libraries/CContracts"),
        library(
            "Telemetry",
            ["ConnectionPool", "Postgres", "RPC", "Time", coreMetrics, tracing, instrumentation, histogram, logging]),
        library("JSON"),
        library("Contracts", ["JSON", "RPC", "Time", "CContracts", "CProtobuf"]),
        library("HNSW", ["CDistance"], also: optimised),
        library("FHIR", ["JSON", "Time"]),
        library("Filters", also: optimised),
        library("TextSearch", also: optimised),
        library("Snapshots", ["CChecksum"], also: optimised),
        library("Passwords", ["CArgon2"]),
        library("Tokens", ["Time", jwtKit, crypto]),
        library(
            "Application",
            [
                "Audit", "Cache", "CMalloc", "Contracts", "Jobs", "RPC", "Postgres", "ConnectionPool", "Migrations", "Schema", "Redis", "Resilience", "Telemetry", "Tokens",
                "Time", logging, configuration, crypto, lifecycle, unixSignals, nioCore, nioHTTP1, nioPosix,
            ]),

        // Services
        service("Users", ["Audit", "Cache", "Jobs", "JSON", "Postgres", "Passwords", "Redis", "Tokens", "Resilience", "FHIR", crypto]),
        service("Vitals", ["Cache", "FHIR", "JSON", "Jobs", "Postgres", crypto]),
        service("Vectors", ["Cache", "Filters", "HNSW", "JSON", "Jobs", "Postgres", "Snapshots", "Telemetry", "TextSearch"]),
        service("Chat", ["Cache", "HNSW", "JSON", "Jobs", "LZ4", "Postgres", "Redis", "TextSearch", crypto]),
        service("Gateway", ["Audit", "Cache", "Resilience", "Redis", "Telemetry", "Tokens", hummingbird, hummingbirdCore, hummingbirdTLS, nioCore, nioHTTP1, nioSSL, httpTypes]),

        // Tools
        .executableTarget(
            name: "HeartGuardCommand",
            dependencies: [
                "Audit", "Contracts", "Jobs", "JSON", "LZ4", "Passwords", "RPC", "Postgres", "Redis", "Migrations", "Schema", "Tokens", "Time", logging, argumentParser,
                crypto,
            ],
            path: "Tools/heartguard", swiftSettings: settings),

        // Benchmarks: what `make bench-rpc`, `make bench-postgres`, `make bench-redis` and `make bench-vectors` measure of ours
        .target(name: "BenchmarkSupport", dependencies: [nioCore, nioPosix], path: "Benchmarks/support", swiftSettings: settings),
        .target(
            name: "CBenchmarkContracts", dependencies: ["CProtobuf"], path: "Benchmarks/rpc/Generated/CBenchmarkContracts"),
        .target(
            name: "BenchmarkContracts", dependencies: ["CBenchmarkContracts", "CContracts", "Contracts", "RPC"],
            path: "Benchmarks/rpc/Generated/BenchmarkContracts", swiftSettings: settings),
        .executableTarget(
            name: "RPCBench",
            dependencies: [
                "Application", "BenchmarkContracts", "BenchmarkSupport", "Contracts", "RPC", "Telemetry", logging, argumentParser,
            ],
            path: "Benchmarks/rpc/Bench", swiftSettings: settings),
        .executableTarget(
            name: "PostgresBench",
            dependencies: ["BenchmarkSupport", "ConnectionPool", "Postgres", "Time", logging, argumentParser],
            path: "Benchmarks/postgres/Bench", swiftSettings: settings),
        .executableTarget(
            name: "RedisBench",
            dependencies: ["BenchmarkSupport", "Cache", "LZ4", "Redis", "Resilience", "Time", logging, argumentParser],
            path: "Benchmarks/redis/Bench", swiftSettings: settings),
        .executableTarget(
            name: "VectorsBench", dependencies: ["BenchmarkSupport", "HNSW", "Snapshots", argumentParser], path: "Benchmarks/vectors/Bench",
            swiftSettings: settings),
        .executableTarget(
            name: "VectorsClientBench", dependencies: ["BenchmarkSupport", "Contracts", "RPC", logging, argumentParser],
            path: "Benchmarks/vectors/Client", swiftSettings: settings),

        // gRPC's interoperability tests, a server and a client
        .target(
            name: "CInteropContracts", dependencies: ["CProtobuf"], path: "Tools/Interop/Generated/CInteropContracts"),
        .target(
            name: "InteropContracts", dependencies: ["CInteropContracts", "Contracts", "RPC"],
            path: "Tools/Interop/Generated/InteropContracts", swiftSettings: settings),
        .executableTarget(
            name: "InteropServer", dependencies: ["InteropContracts", "RPC", logging, argumentParser],
            path: "Tools/Interop/Server", swiftSettings: settings),
        .executableTarget(
            name: "InteropClient", dependencies: ["InteropContracts", "RPC", logging, argumentParser],
            path: "Tools/Interop/Client", swiftSettings: settings),

        // Tests, one target a module
        .target(
            name: "TestSupport", dependencies: ["ConnectionPool", "Postgres", logging, nioCore, nioPosix], path: "Tests/TestSupport",
            swiftSettings: settings),
        .target(
            name: "DatabaseTestSupport", dependencies: ["Migrations", "Postgres", "Schema", "TestSupport", logging], path: "Tests/DatabaseTestSupport",
            swiftSettings: settings),
        .target(
            name: "RecordTestSupport", dependencies: ["Application", "Cache", "Contracts", "Jobs", "Postgres", "RPC", "Redis", "TestSupport", logging],
            path: "Tests/RecordTestSupport", swiftSettings: settings),
        tests("Time"),
        tests("ConnectionPool"),
        tests("Postgres", ["ConnectionPool", "Time", "TestSupport"]),
        tests("Migrations", ["ConnectionPool", "Postgres", "TestSupport", logging]),
        .testTarget(
            name: "SchemaTests",
            dependencies: ["Schema", "ConnectionPool", "DatabaseTestSupport", "Migrations", "Postgres", "TestSupport", "Time", logging],
            path: "Tests/SchemaTests", exclude: ["SQL"], swiftSettings: settings),
        tests("Redis", ["Time", "TestSupport", nioCore, nioPosix, logging]),
        tests("Resilience", ["Redis", "Time", "TestSupport", logging]),
        tests("Gzip"),
        tests("LZ4"),
        tests("Cache", ["Redis", "Time", "TestSupport", logging]),
        .executableTarget(
            name: "JobsTestProcess", dependencies: ["Jobs", "Postgres", "Redis", "Time", logging], path: "Tests/JobsTests/Process",
            swiftSettings: settings),
        .testTarget(
            name: "JobsTests",
            dependencies: ["Jobs", "JobsTestProcess", "ConnectionPool", "Postgres", "Redis", "TestSupport", "Time", logging],
            path: "Tests/JobsTests", exclude: ["Process", "Python"], swiftSettings: settings),
        tests("Audit", ["ConnectionPool", "DatabaseTestSupport", "Migrations", "Postgres", "Redis", "Schema", "TestSupport", "Time", logging]),
        tests("HTTP2"),
        tests("RPC", ["Gzip", "HTTP2", "Time", nioCore, nioEmbedded, nioPosix, logging]),
        tests("Telemetry", ["ConnectionPool", "Postgres", "RPC", "TestSupport", "Time", coreMetrics, tracing, instrumentation, inMemoryTracing, logging]),
        .testTarget(
            name: "ContractsTests", dependencies: ["Contracts", "JSON", "RPC", "TestContracts", "Time"], path: "Tests/ContractsTests",
            exclude: ["Golden", "Protos", "Generated"], swiftSettings: settings),
        .target(
            name: "CTestContracts", dependencies: ["CContracts"], path: "Tests/ContractsTests/Generated/CTestContracts"),
        .target(
            name: "TestContracts", dependencies: ["CTestContracts", "Contracts", "RPC"],
            path: "Tests/ContractsTests/Generated/TestContracts", swiftSettings: settings),
        .executableTarget(
            name: "HostileTestServer", dependencies: ["RPC", logging], path: "Tests/HostileTests/Server",
            swiftSettings: settings),
        .testTarget(
            name: "FuzzTests",
            dependencies: ["Contracts", "FHIR", "Gzip", "JSON", "TestContracts", "HTTP2", "RPC", "Time", logging, nioCore, nioEmbedded],
            path: "Tests/FuzzTests", exclude: ["Corpus", "Dictionaries"], swiftSettings: settings),
        tests("HNSW"),
        tests("FHIR", ["JSON", "Time"]),
        tests("Filters", ["TestSupport"]),
        tests("TextSearch", ["TestSupport"]),
        tests("Snapshots", ["HNSW", "TestSupport"]),
        tests("Passwords"),
        tests("Tokens", ["Time", crypto]),
        tests("Application", ["Audit", "Cache", "ConnectionPool", "Jobs", "Contracts", "Migrations", "Postgres", "Redis", "RPC", "Telemetry", "TestSupport", "Time", "Tokens", logging]),
        tests("Users", serviceTests + ["FHIR", "JSON", "Audit", "Jobs", "Passwords", "Tokens", "Resilience", "Redis", crypto]),
        tests("Vitals", serviceTests + ["FHIR", "JSON", "Jobs", "Redis", "Tokens"]),
        tests("Vectors", serviceTests + ["Filters", "HNSW", "Snapshots", "Telemetry", "TextSearch", "Tokens"]),
        tests("Chat", serviceTests + ["Cache", "Jobs", "LZ4", "Redis", "Tokens"]),
        tests("Gateway", ["Application", "Contracts", "Resilience", "RPC", "TestSupport", "Time", "Tokens", lifecycle, logging, nioCore, nioEmbedded, nioPosix]),
        .testTarget(
            name: "HeartGuardCommandTests",
            dependencies: [
                "HeartGuardCommand", "Application", "Audit", "Chat", "Contracts", "DatabaseTestSupport", "Migrations", "Postgres", "Redis", "Schema", "TestSupport", "Time", "Tokens", argumentParser,
                crypto,
                logging,
            ],
            path: "Tests/HeartGuardCommandTests", exclude: ["SQL"], swiftSettings: settings),
    ]
)

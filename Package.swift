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

let package = Package(
    name: "HeartGuard",
    targets: []
)

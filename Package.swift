// swift-tools-version: 6.2
import PackageDescription

// The house: arrows point down. `scripts/layers.txt` is the table of what a target may import, and `scripts/check`
// holds the sources against it. A change here is a change there and in CONTRIBUTING.md.
let package = Package(
  name: "graceful",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "Graceful", targets: ["Graceful"]),
    .library(name: "GracefulNIO", targets: ["GracefulNIO"]),
    .library(name: "GracefulTesting", targets: ["GracefulTesting"]),
    .executable(name: "graceful", targets: ["GracefulCommand"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
  ],
  targets: [
    // Floor 1
    .target(name: "CGracefulSystem"),
    // Floor 2
    .target(name: "GracefulShutdown", dependencies: [.log]),
    .target(name: "GracefulDescriptors", dependencies: ["CGracefulSystem", .system]),
    .target(name: "GracefulProcesses", dependencies: ["CGracefulSystem", "GracefulDescriptors", .system]),
    // Floor 3
    .target(name: "GracefulTriggers", dependencies: ["GracefulShutdown", "CGracefulSystem", .system]),
    .target(name: "GracefulHandover", dependencies: ["GracefulDescriptors", "GracefulProcesses", .system]),
    // Floor 4
    .target(
      name: "Graceful",
      dependencies: [
        "GracefulShutdown", "GracefulDescriptors", "GracefulProcesses", "GracefulTriggers", "GracefulHandover", .log,
        .system,
      ]),
    .target(
      name: "GracefulNIO",
      dependencies: ["Graceful", "GracefulDescriptors", .log, .system, .nioCore, .nioPosix, .nioHTTP1]),
    .target(
      name: "GracefulRehearsal",
      dependencies: [
        "CGracefulSystem", "GracefulDescriptors", "GracefulProcesses", .system, .nioCore, .nioPosix, .nioHTTP1,
        .histogram,
      ]),
    // Floor 5
    .target(
      name: "GracefulTesting",
      dependencies: [
        "GracefulShutdown", "GracefulDescriptors", "GracefulProcesses", "GracefulTriggers", "GracefulHandover", .system,
      ]),
    .executableTarget(
      name: "GracefulCommand",
      dependencies: [
        "CThreadSanitizer", "CGracefulSystem", "Graceful", "GracefulNIO", "GracefulDescriptors", "GracefulProcesses",
        "GracefulRehearsal", .argumentParser, .log, .system, .nioCore, .nioPosix, .nioHTTP1,
      ]),
    // Tests
    // What the thread sanitizer has to be told of the Swift runtime, in every program; empty without it.
    .target(name: "CThreadSanitizer", path: "Tests/CThreadSanitizer"),
    // One suite at a time for those that need the machine for themselves.
    .target(name: "WholeMachine", dependencies: ["CThreadSanitizer"], path: "Tests/WholeMachine"),
    // Loses requests on purpose and counts them itself: what the rehearsal is held against, and so none of ours.
    .executableTarget(
      name: "FaultyServer", dependencies: ["CThreadSanitizer", .nioCore, .nioPosix], path: "Tests/FaultyServer"),
    // Speaks one side of a handover by hand, and stops at a step to be killed there.
    .executableTarget(
      name: "HandoverPeer",
      dependencies: ["CThreadSanitizer", "CGracefulSystem", "GracefulDescriptors", "GracefulHandover", .system],
      path: "Tests/HandoverPeer"),
    .testTarget(
      name: "GracefulDescriptorsTests",
      dependencies: ["WholeMachine", "GracefulDescriptors", "CGracefulSystem", .system]),
    .testTarget(
      name: "GracefulProcessesTests",
      dependencies: ["WholeMachine", "GracefulProcesses", "GracefulDescriptors", .system]),
    .testTarget(
      name: "GracefulShutdownTests", dependencies: ["WholeMachine", "GracefulShutdown", "GracefulTesting", .log]),
    .testTarget(
      name: "GracefulTriggersTests",
      dependencies: ["WholeMachine", "GracefulTriggers", "GracefulShutdown", "CGracefulSystem"]),
    .testTarget(
      name: "GracefulHandoverTests",
      dependencies: [
        "WholeMachine",
        "GracefulHandover", "GracefulDescriptors", "GracefulProcesses", "GracefulTesting", "CGracefulSystem", .system,
      ]),
    // Has races on purpose.
    .executableTarget(
      name: "RacyProgram", dependencies: ["CThreadSanitizer", "CGracefulSystem"], path: "Tests/RacyProgram"),
    .testTarget(name: "ThreadSanitizerTests", dependencies: ["CThreadSanitizer", "RacyProgram"]),
    .executableTarget(
      name: "BlockedProgram", dependencies: ["CThreadSanitizer", "Graceful", "CGracefulSystem"],
      path: "Tests/BlockedProgram"),
    .testTarget(
      name: "GracefulTests",
      dependencies: [
        "WholeMachine",
        "Graceful", "GracefulTesting", "BlockedProgram", "CGracefulSystem", "GracefulDescriptors", .log, .system,
      ]),
    .testTarget(
      name: "GracefulNIOTests",
      dependencies: [
        "WholeMachine",
        "GracefulNIO", "Graceful", "GracefulDescriptors", .system, .nioCore, .nioPosix, .nioHTTP1, .nioEmbedded,
      ]),
    // Restarts itself as the demo does, and badly when it is told so.
    .executableTarget(
      name: "RestartableServer",
      dependencies: [
        "CThreadSanitizer", "CGracefulSystem", "GracefulProcesses", .system, .nioCore, .nioPosix, .nioHTTP1,
      ],
      path: "Tests/RestartableServer"),
    .testTarget(
      name: "GracefulRehearsalTests",
      dependencies: [
        "WholeMachine",
        "GracefulCommand", "RestartableServer", "GracefulRehearsal", "GracefulProcesses", "GracefulDescriptors",
        .system, .nioCore, .nioPosix, .nioHTTP1,
        .histogram,
      ]),
    .testTarget(
      name: "EndToEndTests",
      dependencies: [
        "WholeMachine",
        "CGracefulSystem", "FaultyServer", "GracefulCommand", "GracefulDescriptors", "GracefulHandover",
        "GracefulProcesses",
        "HandoverPeer", .system, .nioCore, .nioPosix,
      ],
      path: "Tests/EndToEnd"),
  ]
)

extension Target.Dependency {
  static let argumentParser: Self = .product(name: "ArgumentParser", package: "swift-argument-parser")
  static let histogram: Self = .product(name: "Histogram", package: "hdrhistogram-swift")
  static let log: Self = .product(name: "Logging", package: "swift-log")
  static let nioCore: Self = .product(name: "NIOCore", package: "swift-nio")
  static let nioEmbedded: Self = .product(name: "NIOEmbedded", package: "swift-nio")
  static let nioHTTP1: Self = .product(name: "NIOHTTP1", package: "swift-nio")
  static let nioPosix: Self = .product(name: "NIOPosix", package: "swift-nio")
  static let system: Self = .product(name: "SystemPackage", package: "swift-system")
}

let writtenInC: Set = ["CGracefulSystem", "CThreadSanitizer"]
for target in package.targets where !writtenInC.contains(target.name) {
  target.swiftSettings = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
  ]
}

// `scripts/check` and `.ci/run` set this, so that no warning comes in. In a setting, not on the command line: there it
// would reach the dependencies too. In an ordinary build a warning stays a warning, whatever a later compiler finds.
if Context.environment["GRACEFUL_WARNINGS"] == "errors" {
  for target in package.targets {
    if writtenInC.contains(target.name) {
      target.cSettings = [.treatAllWarnings(as: .error)]
    } else {
      target.swiftSettings?.append(.treatAllWarnings(as: .error))
    }
  }
}

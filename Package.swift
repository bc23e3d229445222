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
    .executable(name: "stop", targets: ["StopCommand"]),
  ],
  traits: [
    // For this repository, and for `swift build` in it. A program asks for what it uses, and for nothing else it pays:
    // `traits: []` in its `.package(…)`, or `traits: ["Metrics", "Tracing"]`.
    .default(enabledTraits: ["Command", "Metrics", "Tracing"]),
    .trait(name: "Command", description: "The command `graceful`, with what it parses and measures with."),
    .trait(name: "Metrics", description: "Lifecycle.recordMetrics(), with swift-metrics."),
    .trait(name: "Tracing", description: "Lifecycle.recordSpans(), with swift-distributed-tracing."),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    // Of a test program only: its children end while orphans are reaped.
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
  ],
  targets: [
    // Floor 1
    .target(name: "CGracefulSystem"),
    .target(name: "GracefulJSON"),
    .target(name: "GracefulSystem", dependencies: ["CGracefulSystem", .heap, .system]),
    // Floor 2
    .target(name: "GracefulShutdown", dependencies: ["GracefulJSON", .heap, .log]),
    .target(name: "GracefulDescriptors", dependencies: ["CGracefulSystem", "GracefulSystem", .system]),
    .target(
      name: "GracefulProcesses",
      dependencies: ["CGracefulSystem", "GracefulSystem", "GracefulDescriptors", .system]),
    // Floor 3
    .target(
      name: "GracefulTriggers",
      dependencies: ["GracefulJSON", "GracefulShutdown", "CGracefulSystem", "GracefulSystem", .log, .system]),
    .target(
      name: "GracefulHandover", dependencies: ["GracefulSystem", "GracefulDescriptors", "GracefulProcesses", .system]),
    // Floor 4
    .target(
      name: "Graceful",
      dependencies: [
        "GracefulJSON", "GracefulSystem", "GracefulShutdown", "GracefulDescriptors", "GracefulProcesses",
        "GracefulTriggers", "GracefulHandover", .log, .system, .serviceLifecycle, .coreMetrics, .tracing,
      ]),
    .target(
      name: "GracefulNIO",
      dependencies: ["Graceful", "GracefulDescriptors", .log, .system, .nioCore, .nioPosix, .nioHTTP1]),
    .target(
      name: "GracefulRehearsal",
      dependencies: [
        "CGracefulSystem", "GracefulJSON", "GracefulSystem", "GracefulDescriptors", "GracefulProcesses", .system,
        .nioCore, .nioPosix, .nioHTTP1, .histogram,
      ]),
    // Floor 5
    .target(
      name: "GracefulTesting",
      dependencies: [
        "Graceful", "GracefulShutdown", "GracefulDescriptors", "GracefulProcesses", "GracefulTriggers",
        "GracefulHandover", .serviceLifecycle, .system,
      ]),
    .executableTarget(
      name: "GracefulCommand",
      dependencies: [
        "CGracefulSystem", "GracefulSystem", "Graceful", "GracefulNIO", "GracefulDescriptors", "GracefulHandover",
        "GracefulJSON", "GracefulProcesses", "GracefulRehearsal", "GracefulShutdown", "GracefulTriggers",
        .argumentParser, .log, .system, .nioCore, .nioPosix, .nioHTTP1,
      ]),
    // No argument parser and no Foundation: its start is a part of every stop.
    .executableTarget(
      name: "StopCommand", dependencies: ["GracefulTriggers", "GracefulShutdown", "CGracefulSystem", "GracefulSystem"]),
    // Tests
    // What the thread sanitizer has to be told of the Swift runtime, in every program; empty without it.
    .target(name: "CThreadSanitizer", path: "Tests/CThreadSanitizer"),
    // Has races on purpose.
    .executableTarget(name: "RacyProgram", dependencies: ["CGracefulSystem"], path: "Tests/RacyProgram"),
    .testTarget(name: "ThreadSanitizerTests", dependencies: ["RacyProgram"]),
    // What tests of all targets share: turns at what a process has once, and threads of their own.
    .target(name: "TestHost", dependencies: ["CThreadSanitizer"], path: "Tests/TestHost"),
    .target(name: "Exploration", path: "Tests/Exploration"),
    // Every path through the lifecycle's state machine: short in the tests, far in `swift run -c release explore`.
    .target(name: "PathExploration", dependencies: ["Exploration", "GracefulShutdown"], path: "Tests/PathExploration"),
    .executableTarget(name: "explore", dependencies: ["PathExploration"], path: "Tests/explore"),
    // Holds JSON against the schemas of this package.
    .target(name: "SchemaChecking", path: "Tests/SchemaChecking"),
    // Loses requests on purpose and counts them itself: what the rehearsal is held against, and so none of ours.
    .executableTarget(
      name: "FaultyServer", dependencies: [.nioCore, .nioPosix], path: "Tests/FaultyServer"),
    // The programs that tests start, but for those two that share nothing with what they are to judge.
    .executableTarget(
      name: "TestProgram",
      dependencies: [
        "Exploration", "Graceful", "GracefulNIO", "GracefulShutdown", "GracefulDescriptors", "GracefulHandover",
        "GracefulProcesses", "CGracefulSystem", .log, .metrics, .tracing, .system, .nioCore, .nioPosix, .nioHTTP1,
        .serviceLifecycle, .serviceLifecycleTestKit, .subprocess, .unixSignals,
      ],
      path: "Tests/TestProgram"),
    .testTarget(name: "GracefulJSONTests", dependencies: ["Exploration", "GracefulJSON"]),
    .testTarget(
      name: "GracefulSystemTests",
      dependencies: ["TestHost", "Exploration", "GracefulSystem", "CGracefulSystem", .system]),
    .testTarget(
      name: "GracefulDescriptorsTests", dependencies: ["GracefulDescriptors", "CGracefulSystem", .system]),
    .testTarget(
      name: "GracefulProcessesTests",
      dependencies: ["TestHost", "GracefulProcesses", "GracefulDescriptors", "CGracefulSystem", .system]),
    .testTarget(
      name: "GracefulShutdownTests",
      dependencies: ["TestHost", "Exploration", "PathExploration", "GracefulShutdown", "GracefulTesting", .log]),
    .testTarget(
      name: "GracefulTriggersTests",
      dependencies: ["TestHost", "Exploration", "GracefulTriggers", "GracefulShutdown", "CGracefulSystem"]),
    .testTarget(
      name: "GracefulHandoverTests",
      dependencies: [
        "TestHost", "Exploration",
        "GracefulHandover", "GracefulDescriptors", "GracefulProcesses", "GracefulTesting", "CGracefulSystem", .system,
      ]),
    .testTarget(
      name: "GracefulTests",
      dependencies: [
        "TestHost", "Exploration",
        "SchemaChecking",
        "Graceful", "GracefulTesting", "TestProgram", "CGracefulSystem", "GracefulDescriptors", "GracefulHandover",
        "GracefulProcesses",
        "GracefulShutdown", "GracefulTriggers", .log, .metrics, .tracing, .system, .serviceLifecycle,
        .serviceLifecycleTestKit,
      ]),
    .testTarget(
      name: "GracefulNIOTests",
      dependencies: [
        "TestHost", "Exploration",
        "GracefulNIO", "Graceful", "GracefulDescriptors", "CGracefulSystem", .log, .system, .nioCore, .nioPosix,
        .nioHTTP1, .nioEmbedded,
      ]),
    .testTarget(
      name: "GracefulTestingTests",
      dependencies: ["TestHost", "GracefulTesting", "Graceful", "GracefulShutdown", .log, .serviceLifecycle]),
    // The programs of the README: they are compiled.
    .executableTarget(
      name: "ReadmeShop", dependencies: ["Graceful", .serviceLifecycle], path: "Tests/ReadmeShop"),
    .executableTarget(
      name: "ReadmeHello", dependencies: ["Graceful", "GracefulNIO", .nioCore, .nioPosix, .nioHTTP1],
      path: "Tests/ReadmeHello"),
    // What a program outside of this package can write: the products alone, and nothing that is `package`.
    .testTarget(
      name: "PublicAPITests",
      dependencies: ["Graceful", "GracefulNIO", "GracefulTesting", .log, .nioCore, .nioPosix, .serviceLifecycle],
      packageAccess: false),
    // What the guides and the README show.
    .testTarget(
      name: "GuideTests",
      dependencies: [
        "Graceful", "GracefulNIO", "GracefulShutdown", "GracefulTesting", .log, .nioCore, .serviceLifecycle,
        .unixSignals,
      ]),
    .testTarget(
      name: "GracefulRehearsalTests",
      dependencies: [
        "TestHost", "Exploration",
        "SchemaChecking",
        "GracefulCommand", "TestProgram", "GracefulJSON", "GracefulRehearsal", "GracefulProcesses",
        "GracefulDescriptors",
        .system, .nioCore, .nioPosix, .nioHTTP1,
        .histogram,
      ]),
    .testTarget(
      name: "EndToEndTests",
      dependencies: [
        "TestHost", "TestProgram", "Graceful", "GracefulShutdown",
        "CGracefulSystem", "FaultyServer", "GracefulCommand", "GracefulDescriptors", "GracefulHandover",
        "GracefulProcesses",
        "StopCommand", .system, .nioCore, .nioPosix,
      ],
      path: "Tests/EndToEnd"),
  ]
)

extension Target.Dependency {
  static let argumentParser: Self = .product(
    name: "ArgumentParser", package: "swift-argument-parser", condition: .when(traits: ["Command"]))
  // Of Metrics, what needs no Foundation.
  static let coreMetrics: Self = .product(
    name: "CoreMetrics", package: "swift-metrics", condition: .when(traits: ["Metrics"]))
  static let heap: Self = .product(name: "HeapModule", package: "swift-collections")
  static let histogram: Self = .product(
    name: "Histogram", package: "hdrhistogram-swift", condition: .when(traits: ["Command"]))
  static let log: Self = .product(name: "Logging", package: "swift-log")
  static let metrics: Self = .product(
    name: "Metrics", package: "swift-metrics", condition: .when(traits: ["Metrics"]))
  static let nioCore: Self = .product(name: "NIOCore", package: "swift-nio")
  static let nioEmbedded: Self = .product(name: "NIOEmbedded", package: "swift-nio")
  static let nioHTTP1: Self = .product(name: "NIOHTTP1", package: "swift-nio")
  static let nioPosix: Self = .product(name: "NIOPosix", package: "swift-nio")
  static let serviceLifecycle: Self = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
  static let serviceLifecycleTestKit: Self = .product(
    name: "ServiceLifecycleTestKit", package: "swift-service-lifecycle")
  static let subprocess: Self = .product(name: "Subprocess", package: "swift-subprocess")
  static let system: Self = .product(name: "SystemPackage", package: "swift-system")
  static let tracing: Self = .product(
    name: "Tracing", package: "swift-distributed-tracing", condition: .when(traits: ["Tracing"]))
  static let unixSignals: Self = .product(name: "UnixSignals", package: "swift-service-lifecycle")
}

// Linked where the program is linked: a library for others does not meddle with their runtime.
for target in package.targets where target.type == .executable || target.type == .test {
  target.dependencies.append("CThreadSanitizer")
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

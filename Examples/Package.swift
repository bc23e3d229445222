// swift-tools-version: 6.2
import PackageDescription

// A package of its own, as a program that uses Graceful is one; only that it finds Graceful in the folder above. (Which
// must not be called `examples` itself: SwiftPM tells packages apart by the last part of their path.)
let package = Package(
  name: "graceful-examples",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "example-01-one-service", targets: ["OneService"]),
    .executable(name: "example-02-web-pipeline-database", targets: ["Shop"]),
    .executable(name: "example-03-worker-and-producer", targets: ["WorkerAndProducer"]),
    .executable(name: "example-04-echo", targets: ["Echo"]),
    .executable(name: "example-05-restarting-service", targets: ["RestartingService"]),
    .executable(name: "example-06-inside-a-service-group", targets: ["InsideAServiceGroup"]),
    .executable(name: "example-07-stop-on-signal-http-or-file", targets: ["StopOnSignalHTTPOrFile"]),
    .executable(name: "example-08-pre-stop-hook", targets: ["PreStopHook"]),
  ],
  dependencies: [
    // As a program that uses neither metrics nor tracing takes it: without what it does not use.
    .package(name: "graceful", path: "..", traits: []),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
  ],
  targets: [
    .executableTarget(
      name: "OneService", dependencies: [.graceful, .serviceLifecycle],
      path: "01-one-service", exclude: ["README.md"]),
    .executableTarget(
      name: "Shop", dependencies: [.graceful, .serviceLifecycle, .nioCore, .nioHTTP1, .nioPosix],
      path: "02-web-pipeline-database", exclude: ["README.md"]),
    .executableTarget(
      name: "WorkerAndProducer", dependencies: [.graceful],
      path: "03-worker-and-producer", exclude: ["README.md"]),
    .executableTarget(
      name: "Echo", dependencies: [.graceful, .nioCore, .nioPosix],
      path: "04-echo", exclude: ["README.md"]),
    .executableTarget(
      name: "RestartingService", dependencies: [.graceful],
      path: "05-restarting-service", exclude: ["README.md"]),
    .executableTarget(
      name: "InsideAServiceGroup", dependencies: [.graceful, .serviceLifecycle, .unixSignals],
      path: "06-inside-a-service-group", exclude: ["README.md"]),
    .executableTarget(
      name: "StopOnSignalHTTPOrFile", dependencies: [.graceful, .gracefulNIO],
      path: "07-stop-on-signal-http-or-file", exclude: ["README.md"]),
    .executableTarget(
      name: "PreStopHook", dependencies: [.graceful],
      path: "08-pre-stop-hook", exclude: ["README.md"]),
  ]
)

extension Target.Dependency {
  static let graceful: Self = .product(name: "Graceful", package: "graceful")
  static let gracefulNIO: Self = .product(name: "GracefulNIO", package: "graceful")
  static let nioCore: Self = .product(name: "NIOCore", package: "swift-nio")
  static let nioHTTP1: Self = .product(name: "NIOHTTP1", package: "swift-nio")
  static let nioPosix: Self = .product(name: "NIOPosix", package: "swift-nio")
  static let serviceLifecycle: Self = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
  static let unixSignals: Self = .product(name: "UnixSignals", package: "swift-service-lifecycle")
}

for target in package.targets {
  target.swiftSettings = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
  ]
}

// Set by `.ci/run`, as in the package above: no warning comes in.
if Context.environment["GRACEFUL_WARNINGS"] == "errors" {
  for target in package.targets { target.swiftSettings?.append(.treatAllWarnings(as: .error)) }
}

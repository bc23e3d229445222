// swift-tools-version: 6.2
import PackageDescription

// A package of its own: who uses Graceful must not fetch what measures it.
let package = Package(
  name: "graceful-benchmarks",
  platforms: [.macOS(.v15)],
  dependencies: [
    .package(name: "graceful", path: ".."),
    // Without its traits: nothing here counts allocations, and the interposers are libraries of their own.
    .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
  ],
  targets: [
    .target(name: "CHeap", path: "Benchmarks/CHeap"),
    // What the benchmarks have in common.
    .target(
      name: "Measuring", dependencies: ["CHeap", .product(name: "Benchmark", package: "benchmark")],
      path: "Benchmarks/Measuring"),
    .executableTarget(
      name: "Phases",
      dependencies: [
        "Measuring",
        .product(name: "Benchmark", package: "benchmark"),
        .product(name: "Graceful", package: "graceful"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ],
      path: "Benchmarks/Phases",
      plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]),
    .executableTarget(
      name: "Sessions",
      dependencies: [
        "Measuring",
        .product(name: "Benchmark", package: "benchmark"),
        .product(name: "Graceful", package: "graceful"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ],
      path: "Benchmarks/Sessions",
      plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]),
  ]
)

for target in package.targets where target.name != "CHeap" {
  target.swiftSettings = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
  ]
}

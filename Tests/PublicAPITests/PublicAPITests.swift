import Graceful
import GracefulTesting
import Testing

/// A program outside of this package can write what the guides name, with the products alone.
///
/// The target is compiled without access to what is `package` (`packageAccess: false` in `Package.swift`), and imports of
/// this package's modules only `Graceful`, `GracefulNIO` and `GracefulTesting`. The functions beside these tests are
/// compiled and not called; `GuideTests` holds the symbols that the guides link against them.
@Suite("The public API")
struct PublicAPITests {
  @Test("requires: takes a phase, several, names, what is known only at run time, and nothing")
  func requirements() {
    let shop = Lifecycle("shop")
    let database = shop.phase("database") { _ in }
    let queue = shop.phase("queue", requires: database) { _ in }
    let both = [database, queue]
    shop.phase("an array", requires: [database, queue]) { _ in }
    shop.phase("a variable", requires: both) { _ in }
    shop.phase("a name", requires: "database") { _ in }
    shop.phase("names", requires: ["database", "queue"]) { _ in }
    shop.phase("mixed", requires: [database, "queue"]) { _ in }
    shop.phase("twice", requires: [database, database]) { _ in }
    shop.phase("nothing", requires: .nothing) { _ in }
    shop.phase("no phase", requires: [PhaseHandle]()) { _ in }
    shop.phase("nested", requires: both, lifecycle: Lifecycle("inner"))
    shop.phase("scripted", requires: [database, queue], script: .obedient, on: ManualClock())
    let plan = shop.plan()
    let required = Dictionary(uniqueKeysWithValues: plan.phases.map { ($0.name, $0.requires) })
    #expect(plan.mistakes.isEmpty)
    #expect(required["database"] == [])
    #expect(required["queue"] == ["database"])
    for name in ["an array", "a variable", "names", "mixed", "nested", "scripted"] {
      #expect(required[name] == ["database", "queue"], "\(name)")
    }
    for name in ["a name", "twice"] { #expect(required[name] == ["database"], "\(name)") }
    for name in ["nothing", "no phase"] { #expect(required[name] == [], "\(name)") }
  }

  @Test("The command that a restart starts can be named with `import Graceful` alone")
  func successor() {
    var configuration = Handover.Configuration(socket: "/run/shop/handover.sock")
    configuration.successor = Command("/usr/bin/shop", arguments: ["--port", "80"], environment: ["LANG": "C"])
    #expect(configuration.successor?.executable == "/usr/bin/shop")
    #expect(configuration.successor?.arguments == ["--port", "80"])
  }

  @Test("A session is opened in a phase at hand, and in the one around the task, by the same name")
  func sessions() async throws {
    let clock = ManualClock()
    let shop = Lifecycle("shop")
    shop.phase("web") { phase in
      phase.ready()
      try await phase.withSession("at hand") {
        try await withSession("around the task") { #expect(phase.isStopRequested == false) }
      }
      try await phase.withSession("of its own", cancellable: true) {}
    }
    let report = await shop.run(on: clock)
    #expect(report.phases.first?.sessions?.admitted == 3)
    #expect(report.exitCode == 0)
  }
}

import TestHost
import GracefulSystem
import Synchronization
import SystemPackage
import Testing

@Suite("The end of a poll loop", .serialized, .timeLimit(.minutes(1)))
struct PollLoopEndTests {
  /// Says when it goes, and calls the loop then, as a connection does that takes its watch back.
  private final class Tenant: Sendable {
    let loop: PollLoop
    let left: Recorder
    init(_ loop: PollLoop, _ left: Recorder) {
      self.loop = loop
      self.left = left
    }
    deinit {
      loop.execute {}
      left.append(1)
    }
    func nothing() {}
  }

  @Test("lets go of all that it was given, although what it held calls it when it goes")
  func letsGo() async throws {
    let left = Recorder()
    weak var gone: PollLoop?
    do {
      let loop = try PollLoop(name: "test")
      gone = loop
      let (reader, writer) = try FileDescriptor.pipe()
      defer { try? writer.close() }
      defer { try? reader.close() }
      for tenant in [Tenant(loop, left), Tenant(loop, left)] {
        _ = loop.watch(reader.rawValue, .readable) { _ in tenant.nothing() }
        _ = loop.schedule(at: .now + .seconds(1000)) { tenant.nothing() }
      }
      loop.stop()
      #expect(await eventually { left.values.count == 2 })
    }
    #expect(await eventually { gone == nil })
  }

  @Test("drops what it is given after its end, and is not kept alive by it")
  func afterTheEnd() async throws {
    let left = Recorder()
    weak var gone: PollLoop?
    do {
      let loop = try PollLoop(name: "test")
      gone = loop
      loop.stop()
      let tenants = (0..<4).map { _ in Tenant(loop, left) }
      loop.execute { [tenant = tenants[0]] in tenant.nothing() }
      _ = loop.watch(0, []) { [tenant = tenants[1]] _ in tenant.nothing() }
      _ = loop.schedule(at: .now) { [tenant = tenants[2]] in tenant.nothing() }
      loop.cancel(loop.schedule(at: .now) { [tenant = tenants[3]] in tenant.nothing() })
    }
    #expect(await eventually { left.values.count == 4 })
    #expect(await eventually { gone == nil })
  }

  @Test("gives the closures of a watch and of a timer back without its lock")
  func takenBack() async throws {
    let left = Recorder()
    let loop = try PollLoop(name: "test")
    defer { loop.stop() }
    let watch = loop.watch(0, []) { [tenant = Tenant(loop, left)] _ in tenant.nothing() }
    let timer = loop.schedule(at: .now + .seconds(1000)) { [tenant = Tenant(loop, left)] in tenant.nothing() }
    loop.unwatch(watch)
    loop.cancel(timer)
    #expect(await eventually { left.values.count == 2 })
  }
}

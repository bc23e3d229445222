import Benchmark
import Graceful
import Measuring
import ServiceLifecycle

private let count = 100_000

/// A session without a name, where its owner keeps it.
func bytes() { bytes("bytes_of_a_live_session", name: nil) }

/// With a name of up to 15 bytes, which takes no memory of its own.
func bytesNamed() { bytes("bytes_of_a_live_session_with_a_name", name: "GET /events") }

private func bytes(_ title: String, name: String?) {
  Benchmark(title, configuration: Reading.configuration([Reading.bytes], samples: 5)) { benchmark in
    let open = await OpenPhase.open()
    let before = heapInUse()
    let sessions = LiveSessions(count, in: open.phase, name: name)
    let after = heapInUse()
    sessions.end()
    await open.close()
    benchmark.read(Reading.bytes, Double(after - before) / Double(count))
  }
}

/// What a scope adds to a task that waits; beside what a handler adds to it.
func bytesScoped() {
  Benchmark(
    "bytes_of_a_live_scope",
    configuration: Reading.configuration([Reading.bytes, Reading.bytesForeign], samples: 5)
  ) { benchmark in
    let ours = await OpenPhase.open()
    let theirs = ForeignService.open()
    let bare = try await ours.inside { try await held { await $0.wait() } }
    let session = try await ours.inside { try await held { scopes in try await withSession { await scopes.wait() } } }
    let bareThere = try await theirs.inside { try await held { await $0.wait() } }
    let handler = try await theirs.inside {
      try await held { scopes in
        await withGracefulShutdownHandler {
          await scopes.wait()
        } onGracefulShutdown: {
        }
      }
    }
    await ours.close()
    await theirs.close()
    benchmark.read(Reading.bytes, session - bare)
    benchmark.read(Reading.bytesForeign, handler - bareThere)
  }
}

/// What each of so many tasks holds while it waits.
private func held(_ body: @escaping @Sendable (LiveScopes) async throws -> Void) async throws -> Double {
  // Few enough that ending as many handlers does not take seconds.
  let count = 10_000
  let scopes = LiveScopes()
  let before = heapInUse()
  let tasks = (0..<count).map { _ in Task { try await body(scopes) } }
  await scopes.reach(count)
  let after = heapInUse()
  scopes.letGo()
  for task in tasks { try await task.value }
  return Double(after - before) / Double(count)
}

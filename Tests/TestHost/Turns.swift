import Synchronization

/// Who has places of which resource, and who waits for them: the first first, so that none waits for ever.
final class Turns: Sendable {
  static let shared = Turns()

  private struct Queue {
    var free: Int
    var waiting: [(places: Int, turn: CheckedContinuation<Void, Never>)] = []

    mutating func next() -> [CheckedContinuation<Void, Never>] {
      var turns: [CheckedContinuation<Void, Never>] = []
      while let first = waiting.first, first.places <= free {
        free -= first.places
        turns.append(waiting.removeFirst().turn)
      }
      return turns
    }
  }

  private let queues = Mutex<[HostResource: Queue]>([:])

  func with(_ places: Int, of resource: HostResource, _ body: () async throws -> Void) async rethrows {
    await withCheckedContinuation { turn in
      change(resource) { $0.waiting.append((places, turn)) }
    }
    defer { change(resource) { $0.free += places } }
    try await body()
  }

  private func change(_ resource: HostResource, _ body: (inout Queue) -> Void) {
    let turns = queues.withLock { queues in
      body(&queues[resource, default: Queue(free: resource.places)])
      return queues[resource]?.next() ?? []
    }
    for turn in turns { turn.resume() }
  }
}

internal import CGracefulSystem
package import GracefulSystem
internal import Synchronization
internal import SystemPackage

/// Descriptors that are kept so that there are some when the process may open no more (RLIMIT_NOFILE).
///
/// Clients can take all there are. Then a command that stops, and a successor that relieves, must still be let in: these are
/// closed for them, and opened again when there are some.
package final class DescriptorReserve: Sendable {
  /// The limit is the process's, and so is the reserve.
  package static let shared = DescriptorReserve(
    // An accepted peer, what stands for its process, and what a start of a successor takes, twice. Where there are few, few.
    of: min(8, ThisProcess.descriptorLimit / 8))

  static let pause = Duration.milliseconds(5)

  private struct State {
    var held: [SharedDescriptor] = []
    var isRefilling = false
  }

  private let count: Int
  private let state = Mutex(State())

  init(of count: Int) {
    self.count = count
    fill()
  }

  /// Keeps it from now on.
  package func keep() { fill() }

  /// How many there are now.
  var available: Int { state.withLock { $0.held.count } }

  /// Closes so many, for the next calls to find.
  ///
  /// - Parameter loop: Where it is filled again, as soon as there are descriptors.
  package func lend(_ count: Int, until loop: PollLoop) {
    let (lent, isFirst) = state.withLock { state in
      let lent = Array(state.held.suffix(count))
      state.held.removeLast(lent.count)
      defer { state.isRefilling = true }
      return (lent, !state.isRefilling)
    }
    withExtendedLifetime(lent) {}
    if isFirst { refill(on: loop) }
  }

  private func refill(on loop: PollLoop) {
    // In a moment: what was lent is for others first.
    _ = loop.schedule(at: .now + Self.pause) { [self, weak loop] in
      guard let loop, !fill() else { return state.withLock { $0.isRefilling = false } }
      refill(on: loop)
    }
  }

  /// - Returns: Whether all are there.
  @discardableResult
  private func fill() -> Bool {
    while state.withLock({ $0.held.count }) < count {
      // It needs to be open, and nothing more.
      let number = cgs_open_to_read("/dev/null")
      guard number >= 0 else { return false }
      let descriptor = SharedDescriptor(OwnedDescriptor(adopting: FileDescriptor(rawValue: number)))
      state.withLock { $0.held.append(descriptor) }
    }
    return true
  }
}

internal import GracefulSystem
internal import Synchronization

/// Calls a function at each arrival of a signal, on a thread of its own.
///
/// It works although every thread of Swift's cooperative pool is blocked. Any number of sources may listen for the same
/// signal; each hears every arrival (signals of the same number that come faster than the system delivers them are one:
/// signal(7), standard signals do not queue). When the last of them stops, the default disposition is restored, which
/// for most signals means that the next one ends the process.
///
/// ```swift
/// let source = try SignalSource([.hangup]) { _ in reload() }
/// ```
public final class SignalSource: Sendable {
  /// More arrivals than so many that wait tell nothing more than one.
  private static let mostWaiting = 65_536

  private let loop: PollLoop
  private let listener: Int
  private let callback: Callback

  /// Starts to listen; when this returns, no arrival is missed.
  /// - Parameters:
  ///   - signals: Which signals.
  ///   - heard: Called for one arrival at a time. It may block; then it holds up this source and no other.
  /// - Throws: When a signal cannot be caught (SIGKILL, SIGSTOP, a fault of the program), or no descriptor or thread is
  ///   left.
  public init(_ signals: Set<Signal>, _ heard: @escaping @Sendable (Signal) -> Void) throws(SignalError) {
    let loop: PollLoop
    do throws(SystemError) { loop = try PollLoop(name: "graceful-source") } catch { throw SignalError(signals, error) }
    self.loop = loop
    let arrivals = Mailbox<Signal>()
    let callback = Callback(heard)
    self.callback = callback
    do throws(SignalError) {
      listener = try SignalRegistry.shared.listen(for: signals) { signal in
        guard arrivals.post(signal, limit: Self.mostWaiting) == .isFirst else { return }
        loop.execute { arrivals.drain { callback.call($0) } }
      }
    } catch {
      loop.stop()
      throw error
    }
  }

  deinit { leave() }

  /// Stops listening.
  ///
  /// May be called more than once. A call that is on its way already may still arrive.
  public func stop() {
    leave()
    CallbackSources.drop(self)
  }

  private func leave() {
    SignalRegistry.shared.leave(listener)
    // Released by the source's own thread: by the registry's, what the function holds could hold up all signals.
    let heard = callback.take()
    loop.execute { withExtendedLifetime(heard) {} }
    loop.stop()
  }

  /// The user's function, which the registry must not be the last to hold.
  private final class Callback: Sendable {
    private let heard: Mutex<(@Sendable (Signal) -> Void)?>

    init(_ heard: @escaping @Sendable (Signal) -> Void) { self.heard = Mutex(heard) }

    func call(_ signal: Signal) {
      let heard = heard.withLock { $0 }
      heard?(signal)
    }

    func take() -> (@Sendable (Signal) -> Void)? {
      heard.withLock { heard in
        defer { heard = nil }
        return heard
      }
    }
  }
}

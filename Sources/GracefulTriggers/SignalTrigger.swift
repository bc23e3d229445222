internal import GracefulShutdown
internal import Synchronization

extension Trigger {
  /// SIGTERM and SIGINT: the first drains, the second cancels now, the third exits now.
  ///
  /// A signal that comes within 20 ms of another of the same number is one with it.
  public static var signals: Trigger { signals([.terminate, .interrupt]) }

  /// These signals.
  ///
  /// Only of SIGTERM and SIGINT a repetition escalates; another signal joins what has begun.
  ///
  /// A signal that comes within 20 ms of one of the same number that counted is one with it, and asks for nothing more:
  /// timeout(1) sends one to its child and then to its group, and a ^C may come from the terminal and from a program that forwards it.
  /// ``SignalSource``, ``SignalArrivals`` and ``onSignal(_:_:onError:)`` tell of each arrival.
  ///
  /// It listens on a thread of its own, so that it is heard although every thread of Swift's cooperative pool is blocked.
  public static func signals(_ signals: Set<Signal>) -> Trigger {
    let name = signals.sorted { $0.rawValue < $1.rawValue }.map(\.description).joined(separator: ", ")
    return Trigger(name) { ask throws(TriggerError) in
      let heard = HeardSignals()
      do {
        let listener = try SignalRegistry.shared.listen(for: signals) { signal in
          if heard.isEcho(signal) { return }
          let source = StopRequest.Source.signal(signal.rawValue)
          ask(StopRequest(source: source, why: source.description == signal.description ? "" : signal.description))
        }
        return { SignalRegistry.shared.leave(listener) }
      } catch {
        throw TriggerError(trigger: name, reason: "\(error)")
      }
    }
  }
}

private final class HeardSignals: Sendable {
  private let echoes = Mutex(SignalEchoes())

  func isEcho(_ signal: Signal) -> Bool { echoes.withLock { $0.isEcho(signal, at: .now) } }
}

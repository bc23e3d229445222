internal import GracefulShutdown

extension Trigger {
  /// SIGTERM and SIGINT: the first drains, the second cancels now, the third exits now.
  public static var signals: Trigger { signals([.terminate, .interrupt]) }

  /// These signals.
  ///
  /// Only of SIGTERM and SIGINT a repetition escalates; another signal joins what has begun.
  ///
  /// It listens on a thread of its own, so that it is heard although every thread of Swift's cooperative pool is blocked.
  public static func signals(_ signals: Set<Signal>) -> Trigger {
    let name = signals.sorted { $0.rawValue < $1.rawValue }.map(\.description).joined(separator: ", ")
    return Trigger(name) { ask throws(TriggerError) in
      do {
        let listener = try SignalRegistry.shared.listen(for: signals) { signal in
          let who = StopRequest.Asker.signal(signal.rawValue)
          ask(StopRequest(who: who, why: who.description == signal.description ? "" : signal.description))
        }
        return { SignalRegistry.shared.leave(listener) }
      } catch {
        throw TriggerError(trigger: name, reason: "\(error)")
      }
    }
  }
}

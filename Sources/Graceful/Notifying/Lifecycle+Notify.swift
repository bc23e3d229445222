internal import GracefulDescriptors
public import GracefulShutdown
internal import Logging
internal import Synchronization

extension Lifecycle {
  /// Tells systemd, or another listener at `NOTIFY_SOCKET`, what happens (sd_notify(3)).
  ///
  /// ``runAndExit(on:)`` does this by itself; call it before ``run(on:)`` where that is used. When `NOTIFY_SOCKET` is not
  /// set, or empty, it does nothing; to have it do nothing, take the variable out of the environment.
  ///
  /// | message | when |
  /// |---|---|
  /// | `READY=1` | every phase is ready |
  /// | `STATUS=…` | what is starting, or draining, with its sessions and how much of the grace is left: when that changes, and at most once a second |
  /// | `STOPPING=1` | a stop was asked for, and not by a successor |
  /// | `EXTEND_TIMEOUT_USEC=…` | while it stops: every 5 s for another 10 s, never beyond the grace; so a drain may take longer than `TimeoutStopSec=`, and a program that is stuck beyond all is killed soon |
  /// | `MAINPID=…` | the last word of a process that a successor has taken over from; and the first one of that successor |
  ///
  /// `WATCHDOG_USEC` is not served.
  ///
  /// After a handover the predecessor is the main process until it has drained, and names its successor as it ends; until
  /// then the successor says nothing. So the default `NotifyAccess=main` does, and a successor that dies in its first
  /// seconds takes nothing with it. Only a process in the same control group is named, and kept silent by that: one of
  /// another unit speaks for itself. What is said on behalf of the service while both are there is said by the
  /// predecessor; it never says `STOPPING=1` for having been taken over from.
  ///
  /// Nothing waits for systemd: a message that finds no room is tried again, up to the end of the run; an address that
  /// cannot be used, and a socket where no process listens, cost one warning in the log. It needs no thread of Swift's
  /// cooperative pool.
  public func notifySystemd() {
    guard let name = ServiceNotifier.address, !name.isEmpty else { return }
    let socket: NotifySocket
    do throws(SystemError) {
      socket = try NotifySocket(name)
    } catch {
      logger.warning("\(error)", metadata: ["lifecycle.name": "\(self.name)"])
      return
    }
    let driver = NotifyDriver(
      snapshot: { [weak self] in self?.snapshot() },
      complain: { [logger, name = self.name] problem in
        logger.warning("\(problem)", metadata: ["lifecycle.name": "\(name)"])
      }, send: { socket.send($0) })
    // Asked for twice is asked for once; and a second lifecycle of this process speaks for itself only.
    if add(driver) == .admitted { ServiceNotifier.open(driver) }
  }
}

/// The notifications of this process, for a handover: there is one main process, and so one of these in a process.
enum ServiceNotifier {
  /// As it was when it was first asked for.
  static let address = ProcessSurroundings.live.variable(NotifySocket.variable)

  private static let driver = Mutex<NotifyDriver?>(nil)

  static func open(_ new: NotifyDriver) { driver.withLock { $0 = $0 ?? new } }

  static func joined(after predecessor: Int32?) {
    guard let predecessor else { return }
    driver.withLock { $0 }?.joined(after: predecessor)
  }

  static func predecessorEnded() { driver.withLock { $0 }?.predecessorEnded() }
}

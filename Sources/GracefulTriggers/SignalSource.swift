internal import CGracefulSystem
internal import Synchronization
internal import SystemPackage

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
  private let mailbox: SignalMailbox
  private let listener: Int

  /// Starts to listen; when this returns, no arrival is missed.
  /// - Parameters:
  ///   - signals: Which ones.
  ///   - heard: Called for one arrival at a time. It may block; then it holds up this source and no other.
  /// - Throws: When a signal cannot be caught (SIGKILL, SIGSTOP, a fault of the program), or no descriptor or thread is
  ///   left.
  public init(_ signals: Set<Signal>, _ heard: @escaping @Sendable (Signal) -> Void) throws(SignalError) {
    let mailbox = try SignalMailbox(for: signals)
    self.mailbox = mailbox
    listener = try SignalRegistry.shared.listen(for: signals) { mailbox.post($0) }
    let context = Unmanaged.passRetained(SignalReader(mailbox: mailbox, heard: heard))
    let started = cgs_thread_start(
      "graceful-source",
      { context in
        guard let context else { return }
        Unmanaged<SignalReader>.fromOpaque(context).takeRetainedValue().read()
      }, context.toOpaque())
    guard started >= 0 else {
      context.release()
      SignalRegistry.shared.leave(listener)
      throw SignalError(
        signal: signals.first ?? .terminate, reason: .system("pthread_create", Errno(rawValue: -started)))
    }
  }

  deinit { leave() }

  /// Stops listening.
  ///
  /// May be called more than once. One call that is on its way already may still arrive.
  public func stop() {
    leave()
    CallbackSources.drop(self)
  }

  private func leave() {
    SignalRegistry.shared.leave(listener)
    mailbox.close()
  }
}

/// From the registry's thread to the source's.
///
/// Both ends are closed when nobody holds it any more, so that no thread writes to a number that meanwhile belongs to
/// somebody else.
private final class SignalMailbox: Sendable {
  let reader: Int32
  private let writer: Int32

  init(for signals: Set<Signal>) throws(SignalError) {
    var ends: [Int32] = [-1, -1]
    let piped = cgs_pipe(&ends)
    reader = ends[0]
    writer = ends[1]
    guard piped >= 0 else {
      throw SignalError(signal: signals.first ?? .terminate, reason: .system("pipe2", Errno(rawValue: -piped)))
    }
  }

  deinit {
    if reader >= 0 { _ = cgs_close(reader) }
    if writer >= 0 { _ = cgs_close(writer) }
  }

  func post(_ signal: Signal) { send(UInt8(truncatingIfNeeded: signal.rawValue)) }

  /// Zero is no signal's number: it means the end.
  func close() { send(0) }

  private func send(_ byte: UInt8) {
    var byte = byte
    // A full pipe drops it: 64 Ki arrivals that nobody has read tell nothing more than one.
    _ = cgs_write(writer, &byte, 1)
  }
}

private final class SignalReader: Sendable {
  private let mailbox: SignalMailbox
  private let heard: @Sendable (Signal) -> Void

  init(mailbox: SignalMailbox, heard: @escaping @Sendable (Signal) -> Void) {
    self.mailbox = mailbox
    self.heard = heard
  }

  func read() {
    var poll = cgs_poll(fd: mailbox.reader, wanted: Int16(CGS_POLL_IN), happened: 0)
    var bytes = [UInt8](repeating: 0, count: 64)
    while true {
      guard cgs_poll(&poll, 1, -1) > 0 else { continue }
      let count = cgs_read(mailbox.reader, &bytes, bytes.count)
      guard count > 0 else { continue }
      for byte in bytes[..<count] {
        if byte == 0 { return }
        heard(Signal(rawValue: Int32(byte)))
      }
    }
  }
}

import GracefulDescriptors
import Logging
import NIOCore
import SystemPackage

/// A listener that is had again when another process that shares it has ended its listening (shutdown(2)).
///
/// NIO closes its channel then, as it must: the socket accepts nothing any more, and would be reported as ready for ever. The
/// socket is the same for every process that has it, and listens again for all of them.
struct ListenerRenewal: Sendable {
  /// Before each attempt, so that a process that ends it again and again keeps no loop busy.
  static let pause = TimeAmount.milliseconds(20)
  /// The port is another socket's, mostly, and stays it.
  static let attempts = 5

  /// Goes with the listener, and before it.
  let copy: SharedDescriptor
  let address: ListenAddress
  let logger: Logger
  /// Makes a channel of a descriptor that it owns then, with the handlers of the one before.
  let open: @Sendable (_ number: CInt, _ loop: any EventLoop) -> EventLoopFuture<Void>

  func begin(on loop: any EventLoop, attempt: Int = 1, _ done: @escaping @Sendable (_ isListening: Bool) -> Void) {
    loop.scheduleTask(in: Self.pause) {
      listen(on: loop).whenComplete { result in
        switch result {
        case .success:
          logger.warning(
            "another process had ended the listening; it listens again", metadata: ["address": "\(address)"])
          done(true)
        case .failure where attempt < Self.attempts:
          begin(on: loop, attempt: attempt + 1, done)
        case .failure(let error):
          logger.error(
            "another process has ended the listening, and it cannot listen again",
            metadata: ["address": "\(address)", "error": "\(error)"])
          done(false)
        }
      }
    }
  }

  private func listen(on loop: any EventLoop) -> EventLoopFuture<Void> {
    do throws(SystemError) {
      try address.listenAgain(copy.number)
      let number = try copy.owned.duplicate().release().rawValue
      return open(number, loop)
    } catch {
      return loop.makeFailedFuture(error)
    }
  }
}

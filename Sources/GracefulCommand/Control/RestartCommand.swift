internal import ArgumentParser
internal import Graceful
internal import GracefulTriggers

/// `graceful restart`: has a program replaced by its successor.
struct RestartCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restart", abstract: "Has a program replaced without losing a request, and waits until it is.",
    discussion: """
      The program starts its own successor, which takes over when it is ready; this returns when the successor answers, and \
      serves. The one before drains meanwhile. When the successor fails, the program serves on as it was.

      Exit codes: 0 the successor serves, 1 it came to nothing, 124 not in time, 69 nobody there, or a program that takes \
      no part in handovers, 77 not allowed, 64 wrong usage.
      """)

  @Option(help: "The program's handover socket.")
  var socket: String

  @Option(help: "How long to wait: 30s, 500ms, 2m.")
  var timeout = DurationArgument(argument: "30s")!

  func run() throws {
    do throws(CommandFailure) {
      var wait = RestartWait(socket: socket, within: timeout)
      StandardStreams.say(try wait.untilServing())
    } catch {
      throw error.end("restart")
    }
  }
}

/// Waits for a successor to serve.
struct RestartWait {
  private let socket: String
  private let limit: String
  private let deadline: ContinuousClock.Instant
  /// The process that served before.
  private var before: Int32?

  init(socket: String, within timeout: DurationArgument) {
    self.socket = socket
    limit = timeout.description
    deadline = .now + timeout.duration
  }

  /// It is said to serve, and then it says so itself.
  mutating func untilServing() throws(CommandFailure) -> String {
    let successor = try asked()
    while true {
      let client = try ControlClient.ask(.status(every: nil), at: socket, until: deadline)
      if let process = try who(client), process != before, successor == nil || process == successor {
        return
          "process \(process), generation \(client.generation), serves\(before.map { "; it has taken over from process \($0)" } ?? "")"
      }
      guard ContinuousClock.now < deadline else { throw late }
      Waiting.pause(.milliseconds(20), until: deadline)
    }
  }

  /// - Returns: the successor; `nil` when the connection ended without a word of that.
  private mutating func asked() throws(CommandFailure) -> Int32? {
    while true {
      let client = try ControlClient.ask(.restart, at: socket, until: deadline)
      listening: while true {
        switch try client.next(until: deadline) {
        case .comeAgain: break listening
        case .nothing: throw late
        case .ended:
          guard let process = client.process?.number else { break listening }
          // It may have ended with its work done: the successor says so itself, if there is one.
          before = process
          return nil
        case .answer(.serving): before = client.process?.number
        case .answer(.restarted(let process)): return Int32(truncatingIfNeeded: process)
        case .answer(.failed(let reason)):
          throw .failed("process \(before ?? 0) was not replaced, and is as it was: \(reason)")
        case .answer: break
        }
      }
      guard ContinuousClock.now < deadline else { throw late }
      Waiting.pause(.milliseconds(50), until: deadline)
    }
  }

  private func who(_ client: ControlClient) throws(CommandFailure) -> Int32? {
    while true {
      switch try client.next(until: deadline) {
      case .answer(.serving): return client.process?.number
      case .answer: continue
      case .comeAgain, .ended: return nil
      case .nothing: throw late
      }
    }
  }

  private var late: CommandFailure { .late("no successor serves at \(socket) within \(limit)") }
}

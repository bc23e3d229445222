internal import CGracefulSystem
internal import GracefulTriggers

/// One line on a terminal while it waits; nothing elsewhere, but what is refused.
struct StopProgress {
  private let isTerminal = cgs_is_terminal(2) == 1
  private let directory: String
  private let deadline: ContinuousClock.Instant
  private var state = ""
  private var isShown = false

  init(_ arguments: StopArguments) {
    directory = arguments.files.directory
    deadline = .now + arguments.timeout
  }

  mutating func show(_ progress: StopFileClient.Progress) {
    switch progress {
    case .asked: state = "asked in \(directory)"
    case .heard: state = "the program has heard it, and stops"
    case .exiting(let process): state = "process \(process) has stopped, and is about to end"
    case .refused(let objection):
      clear()
      StopTool.write("stop: an answer that does not count: it \(objection.words)\n", to: 2)
    case .waiting: break
    }
    guard isTerminal else { return }
    let seconds = Int64((max(.zero, deadline - .now) / .seconds(1)).rounded(.up))
    StopTool.write("\r\u{1B}[K\(state) (\(seconds) s left)", to: 2)
    isShown = true
  }

  mutating func clear() {
    if isShown { StopTool.write("\r\u{1B}[K", to: 2) }
    isShown = false
  }
}

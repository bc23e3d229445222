import Dispatch
import Foundation

/// Keeps a file as the tally is: replaced by a rename, so that a reader never sees half of one.
final class TallyFile {
  private let path: String
  private let tally: Tally
  private let queue = DispatchQueue(label: "tally")
  private let timer: any DispatchSourceTimer

  init(path: String, tally: Tally) throws {
    self.path = path
    self.tally = tally
    try Data(tally.now.json.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
    var written = tally.now
    let timer = DispatchSource.makeTimerSource(queue: queue)
    self.timer = timer
    timer.setEventHandler {
      let now = tally.now
      guard now != written else { return }
      written = now
      try? Data(now.json.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
    }
    timer.schedule(deadline: .now(), repeating: .milliseconds(50))
    timer.resume()
  }

  /// The last writing, with nothing of the timer's behind it.
  func finish() throws {
    timer.cancel()
    try queue.sync { try Data(tally.now.json.utf8).write(to: URL(fileURLWithPath: path), options: .atomic) }
  }
}

internal import CGracefulSystem
public import GracefulShutdown
internal import SystemPackage

/// The program's side, without a lifecycle.
extension StopFiles {
  /// Requests to stop, one after the other.
  ///
  /// What an earlier run has left is removed first: its answer, and a request that is older than this process. The program
  /// then stops, and says so with ``signalStopped()`` when it is true:
  /// ```swift
  /// let files = StopFiles()
  /// for await request in try files.requests() {
  ///   log("\(request)")
  ///   break
  /// }
  /// await stopEverything()
  /// try files.signalStopped()
  /// ```
  /// - Throws: When a name is none, when the directory is another user's or cannot be written to, and when no descriptor or
  ///   thread is left. That the directory is not there is no error: it is waited for.
  public func requests() throws(StopFileError) -> StopFileRequests { try StopFileRequests(self) }

  /// Says that this process has stopped: its last act.
  ///
  /// The file is written beside its place and renamed over what is there (rename(2)), so that no client finds half of it. It has
  /// the number of this process in it, so that `stop` can wait until it is gone. On a full disk, and when no descriptor is
  /// left, it is empty, which says the same to all other clients.
  /// - Throws: When it cannot be written. A client that waits for it then waits until its time is over.
  public func signalStopped() throws(StopFileError) {
    try checkNames()
    let process = cgs_process_id()
    let temporary = path(of: StopFileLeftovers.name(ofAnswer: answer, process: process))
    let file = calls.create(temporary, 0o644)
    if file >= 0 {
      if let start = ProcessStart(of: process, calls: calls) {
        // What cannot be written, or only in part, is no content.
        _ = calls.write(file, Array(StopFileContent(process: process, start: start).text.utf8))
      }
      calls.close(file)
    } else {
      // A program that has used up its descriptors must not seem to hang.
      let isLeft = ![.tooManyOpenFiles, .tooManyOpenFilesInSystem].contains(Errno(rawValue: -file))
      guard !isLeft, calls.makeFile(temporary, 0o644) >= 0 else {
        throw StopFileError("open", temporary, result: file)
      }
    }
    let renamed = calls.rename(temporary, answerPath)
    guard renamed < 0 else { return }
    _ = calls.unlink(temporary)
    throw StopFileError("rename", answerPath, result: renamed)
  }
}

/// The requests to stop that come in by a file.
///
/// It listens from its making on, and until it and its iterators are gone. Its consumer runs on Swift's cooperative pool, and
/// waits with it when every thread of that is blocked; ``Trigger/files(_:)`` does not. Of requests that were not taken
/// the newest 16 are kept.
public struct StopFileRequests: AsyncSequence, Sendable {
  /// A request, with its source.
  public typealias Element = StopRequest
  /// It does not fail once it has begun.
  public typealias Failure = Never

  private let stream: AsyncStream<StopRequest>

  init(_ files: StopFiles) throws(StopFileError) {
    let (stream, requests) = AsyncStream.makeStream(of: StopRequest.self, bufferingPolicy: .bufferingNewest(16))
    let driver = try StopFileWatchDriver(files) { requests.yield($0) }
    requests.onTermination = { _ in driver.leave() }
    self.stream = stream
  }

  /// Takes the requests; two iterators share them.
  public func makeAsyncIterator() -> AsyncStream<StopRequest>.AsyncIterator { stream.makeAsyncIterator() }
}

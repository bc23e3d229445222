/// The requester's side.
extension StopFiles {
  /// Asks the program to stop, and blocks the thread until it has.
  ///
  /// It has stopped when its answer is there that was not there before; and, when the answer says which process it is from
  /// (that of a program with Graceful does), when that process has ended. An answer of an earlier run counts for nothing.
  ///
  /// When the time is over, the request is taken back if no program has taken it: a program that starts later is not stopped by
  /// it. A request that is there already, is joined, and left.
  ///
  /// - Parameter timeout: How long to wait; zero or less asks, looks once, and takes back. More than ten years is ten years.
  /// - Throws: ``StopFileError/Code/notInTime`` when the time was over; ``StopFileError/Code/nobodyThere`` when there is no
  ///   such directory (that no program looks in an existing directory, cannot be known); ``StopFileError/Code/notAllowed``; and what the
  ///   system refuses. That there was an answer of an earlier run is no error.
  @available(*, noasync, message: "it blocks its thread; await requestStopAndWait(timeout:) instead")
  public func requestStopAndWait(timeout: Duration) throws(StopFileError) {
    try StopFileClient(self, timeout: timeout).run()
  }

  /// Asks the program to stop, and waits until it has, on a thread of its own.
  ///
  /// As the blocking call. When its task is cancelled, the request is taken back if no program has taken it.
  /// - Throws: As the blocking call; ``StopFileError/Code/interrupted`` when its task was cancelled.
  public func requestStopAndWait(timeout: Duration) async throws(StopFileError) {
    let driver = try StopFileClient(self, timeout: timeout)
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { (waiter: CheckedContinuation<Result<Void, StopFileError>, Never>) in
        let started = calls.startThread("graceful-asking") {
          do throws(StopFileError) {
            try driver.run()
            waiter.resume(returning: .success(()))
          } catch {
            waiter.resume(returning: .failure(error))
          }
        }
        if started < 0 {
          waiter.resume(returning: .failure(StopFileError("pthread_create", requestPath, result: started)))
        }
      }
    } onCancel: {
      driver.interrupt()
    }
    try result.get()
  }
}

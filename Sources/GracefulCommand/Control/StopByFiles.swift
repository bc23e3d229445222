extension StopWait {
  /// By the stop files.
  ///
  /// The seam for the requester's side of the two-file protocol.
  mutating func throughFiles(in directory: String, now: Bool) throws(CommandFailure) -> String {
    throw .usage("--directory is not built in here yet")
  }
}

/// What is wrong with a file, or with the directory that it is in.
package enum StopFileObjection: Hashable, Sendable {
  /// Zero when it has been removed.
  case stale(errno: Int32)
  case notAFile(FileStatus.Kind)
  case foreign(owner: UInt32, user: UInt32)
  case hardLink
  case openFile
  case unreadable(errno: Int32)
  case unremovable(errno: Int32)
  case answerStays(errno: Int32)
  case noDirectory
  case foreignDirectory(owner: UInt32, user: UInt32)
  case openDirectory
  case unwritable(errno: Int32)
  case heldByAnother
  case unlockable(errno: Int32)
}

/// Which files a program believes, and which a client that asks (T3).
package struct StopFileRules: Hashable, Sendable {
  /// The user of this process.
  package var user: UInt32

  package init(user: UInt32) { self.user = user }

  /// Only our user and root may be able to make or rename files of our user's in it.
  package func objection(toDirectory status: FileStatus) -> StopFileObjection? {
    guard status.user == user || status.user == 0 else { return .foreignDirectory(owner: status.user, user: user) }
    guard status.permissions & 0o022 == 0 || status.permissions & 0o1000 != 0 else { return .openDirectory }
    return nil
  }

  /// A request is a regular file of our user's or root's.
  package func objection(toRequest status: FileStatus) -> StopFileObjection? {
    guard status.kind == .file else { return .notAFile(status.kind) }
    guard status.user == user || status.user == 0 else { return .foreign(owner: status.user, user: user) }
    // A second name can be given by each user who may write to the directory, where fs.protected_hardlinks is off (proc_sys_fs(5)).
    guard status.links <= 1 else { return .hardLink }
    // Where it is on, each user who may read and write the file.
    guard status.permissions & 0o006 != 0o006 else { return .openFile }
    return nil
  }

  /// Root may ask programs of all users, in their directories, and is answered by them.
  package func objection(toDirectoryOfProgram status: FileStatus) -> StopFileObjection? {
    var rules = self
    if user == 0 { rules.user = status.user }
    return rules.objection(toDirectory: status)
  }

  package func objection(toAnswer status: FileStatus) -> StopFileObjection? {
    guard status.kind == .file else { return .notAFile(status.kind) }
    guard status.user == user || status.user == 0 || user == 0 else {
      return .foreign(owner: status.user, user: user)
    }
    return nil
  }
}

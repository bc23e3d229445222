public import SystemPackage

/// Something that is not taken for a request to stop, and why.
public struct StopFileRefusal: Hashable, Sendable, CustomStringConvertible {
  /// Why.
  ///
  /// More will come, so it is compared, not switched over.
  public struct Reason: Hashable, Sendable, CustomStringConvertible {
    let kind: StopFileObjection

    /// It is older than the process: it was meant for an earlier one, and has been removed if that was possible.
    public static var stale: Self { Self(kind: .stale(errno: 0)) }
    /// It is a directory, a link, a pipe, a device or a socket.
    public static var notAFile: Self { Self(kind: .notAFile(.link)) }
    /// It belongs to neither our user nor root.
    public static var foreign: Self { Self(kind: .foreign(owner: 0, user: 0)) }
    /// It has other names (hard links): the user who gave it this one need not be its owner.
    public static var hardLink: Self { Self(kind: .hardLink) }
    /// Others may read and write it, and so give it another name: the user who gave it this one need not be its owner.
    public static var openFile: Self { Self(kind: .openFile) }
    /// The system did not let us look at it, or remove it.
    public static func system(_ errno: Errno) -> Self { Self(kind: .unreadable(errno: errno.rawValue)) }
    /// The directory is not there.
    public static var noDirectory: Self { Self(kind: .noDirectory) }
    /// The directory is another user's, or others can write to it.
    public static var unsafeDirectory: Self { Self(kind: .openDirectory) }

    /// Another process answers in this directory, and this one does from its end, or its handover, on.
    public static var anotherAnswers: Self { Self(kind: .heldByAnother) }

    /// Reasons of one kind are equal, whatever is said beside it.
    public static func == (left: Self, right: Self) -> Bool { left.word == right.word }

    /// Of the kind alone.
    public func hash(into hasher: inout Hasher) { hasher.combine(word) }

    private var word: String {
      switch kind {
      case .stale: "stale"
      case .notAFile: "notAFile"
      case .foreign: "foreign"
      case .hardLink: "hardLink"
      case .openFile: "openFile"
      case .unreadable(let errno), .unremovable(let errno), .answerStays(let errno), .unwritable(let errno),
        .unlockable(let errno):
        "system \(errno)"
      case .noDirectory: "noDirectory"
      case .foreignDirectory, .openDirectory: "unsafeDirectory"
      case .heldByAnother: "anotherAnswers"
      }
    }

    /// In words, and what to do.
    public var description: String { kind.words }
  }

  /// The file, or the directory.
  public let path: String
  /// Why.
  public let reason: Reason

  /// One sentence.
  public var description: String { "\(path) \(reason)" }
}

extension StopFileObjection {
  package var words: String {
    switch self {
    case .stale(errno: 0): "was there before this process was started, and is removed: it was meant for an earlier one"
    case .stale(let errno):
      "was there before this process was started, and is not taken for a request; it cannot be removed: "
        + "\(Errno(rawValue: errno))"
    case .notAFile(let kind): "is \(kind.rawValue), not a regular file, and not taken for a request; remove it"
    case .foreign(let owner, let user):
      "belongs to user \(owner), and is not taken for a request: only user \(user) and root may ask"
    case .hardLink:
      "has, or had, other names (hard links), and is not taken for a request: who made this one, cannot be known"
    case .openFile:
      "can be read and written by others, and is not taken for a request: each of them could have made this name of it; "
        + "chmod o-w it"
    case .unreadable(let errno): "cannot be looked at: \(Errno(rawValue: errno))"
    case .unremovable(let errno): "is taken for a request, and cannot be removed: \(Errno(rawValue: errno))"
    case .answerStays(let errno):
      "is there from an earlier run, and cannot be removed: \(Errno(rawValue: errno)); whoever asks for a stop may "
        + "believe that this process has stopped"
    case .noDirectory: "is not there; once it is, it is watched for requests"
    case .foreignDirectory(let owner, let user):
      "belongs to user \(owner), and is not watched: choose a directory of user \(user), or a sticky one of root's"
    case .openDirectory: "can be written to by others, and is not watched: chmod go-w it, or make it sticky (chmod +t)"
    case .unwritable(let errno):
      "cannot be written to: \(Errno(rawValue: errno)); no answer could be given there"
    case .heldByAnother:
      "is locked by another process, which is asked and answers here; this one is when that has ended, or was taken over "
        + "from"
    case .unlockable(let errno):
      "cannot be locked: \(Errno(rawValue: errno)); of two processes that share the directory, either may take a request"
    }
  }
}

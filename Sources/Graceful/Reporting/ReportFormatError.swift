internal import GracefulJSON

/// A text that is no report, or none that this version can read.
public struct ReportFormatError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is wrong with it.
  ///
  /// More will come, so it is compared, not switched over.
  public struct Code: Hashable, Sendable, CustomStringConvertible {
    /// In one or two words.
    public let description: String

    /// It is no JSON, or not all of it.
    public static var notJSON: Self { Self(description: "not JSON") }
    /// It has a schema that this version does not know.
    public static var otherSchema: Self { Self(description: "other schema") }
    /// A key is missing: it is something else than a report, or was changed.
    public static var missingKey: Self { Self(description: "missing key") }
    /// A key has a value that it cannot have.
    public static var badValue: Self { Self(description: "bad value") }
  }

  /// What is wrong.
  public var code: Code
  /// Where, as `phases[3].end`.
  ///
  /// Empty when it is the whole.
  public var path: String
  /// Why, in words.
  public var reason: String

  init(_ code: Code, at path: String, _ reason: String) {
    self.code = code
    self.path = path
    self.reason = reason
  }

  /// What was tried, where it failed, why, and what to do.
  public var description: String {
    let place = path.isEmpty ? "" : " at \(path)"
    return switch code {
    case .otherSchema:
      "cannot read a report: \(reason); this version reads schema 1, so read it with the version that wrote it"
    case .notJSON: "cannot read a report: it is not JSON (\(reason)); is the file whole?"
    case .missingKey:
      "cannot read a report: \(path) is missing; give it the JSON that a lifecycle wrote (GRACEFUL_REPORT_FILE)"
    default: "cannot read a report: bad value\(place): \(reason); give it the JSON as a lifecycle wrote it"
    }
  }
}

extension ReportFormatError {
  init(_ error: DecodingError) {
    switch error {
    case .keyNotFound(let key, let context): self.init(.missingKey, at: Self.path(context.codingPath + [key]), "")
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      self.init(.badValue, at: Self.path(context.codingPath), context.debugDescription)
    case .dataCorrupted(let context) where context.underlyingError is SchemaVersion:
      self.init(.otherSchema, at: Self.path(context.codingPath), context.debugDescription)
    // Said of the text, not of a value in it.
    case .dataCorrupted(let context) where context.codingPath.isEmpty:
      self.init(.notJSON, at: "", context.debugDescription)
    case .dataCorrupted(let context): self.init(.badValue, at: Self.path(context.codingPath), context.debugDescription)
    @unknown default: self.init(.badValue, at: "", "\(error)")
    }
  }

  private static func path(_ keys: [any CodingKey]) -> String {
    keys.reduce("") { path, key in
      key.intValue.map { "\(path)[\($0)]" } ?? (path.isEmpty ? key.stringValue : "\(path).\(key.stringValue)")
    }
  }
}

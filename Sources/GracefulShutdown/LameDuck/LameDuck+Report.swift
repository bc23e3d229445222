internal import GracefulJSON

extension LameDuck {
  /// What became of the lame-duck time of a stop.
  public struct Report: Hashable, Sendable {
    /// How long it took, of the time that the stop took.
    public var took: Duration
    /// Why it ended.
    public var end: End
    /// How long it might have been.
    public var limit: Duration

    package init(took: Duration, end: End, limit: Duration) {
      self.took = took
      self.end = end
      self.limit = limit
    }
  }

  /// Why a lame-duck time ended.
  ///
  /// More will come, so it is compared, not switched over.
  public struct End: Hashable, Sendable, CustomStringConvertible {
    package enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
      case limit, quiet, urgent, nothingLeft, takenOver, phaseFailed
    }

    package let kind: Kind

    package init(kind: Kind) { self.kind = kind }

    /// It was over.
    public static var limit: Self { Self(kind: .limit) }
    /// Nothing new came for a while: no session, and no connection that is counted.
    public static var quiet: Self { Self(kind: .quiet) }
    /// The stop became urgent: a second signal, or a request that says so.
    public static var urgent: Self { Self(kind: .urgent) }
    /// No phase ran any more.
    public static var nothingLeft: Self { Self(kind: .nothingLeft) }
    /// A successor had taken over.
    public static var takenOver: Self { Self(kind: .takenOver) }
    /// A phase failed, so that not everything was served any more.
    public static var phaseFailed: Self { Self(kind: .phaseFailed) }

    /// In a few words.
    public var description: String {
      switch kind {
      case .limit: "its time was over"
      case .quiet: "nobody new came"
      case .urgent: "the stop became urgent"
      case .nothingLeft: "no phase ran any more"
      case .takenOver: "a successor had taken over"
      case .phaseFailed: "a phase failed"
      }
    }
  }
}

extension LameDuck.Report: Codable {
  private enum CodingKeys: String, CodingKey {
    case took, end, limit
  }

  /// Writes every key.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(Elapsed(took), forKey: .took)
    try container.encode(end.kind, forKey: .end)
    try container.encode(Elapsed(limit), forKey: .limit)
  }

  /// Reads the lame-duck time of a report.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      took: try container.decode(Elapsed.self, forKey: .took).duration,
      end: LameDuck.End(kind: try container.decode(LameDuck.End.Kind.self, forKey: .end)),
      limit: try container.decode(Elapsed.self, forKey: .limit).duration)
  }
}

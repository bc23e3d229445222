internal import GracefulJSON
public import GracefulShutdown

// What a lifecycle writes for programs: pretty, with sorted keys and a line break at its end, so that the same value is
// always the same text, which can be kept in a repository and compared. Times are numbers of seconds, kinds are words, and
// what is not known is `null`. Names are there whole, as they were given.

extension LifecycleReport {
  /// The report as JSON: `schemas/lifecycle-report-1.json` of this package describes it.
  ///
  /// Pretty, with sorted keys and a line break at its end: the same report is always the same text. Times are numbers of
  /// seconds, kinds are words, and what is not known is `null`. Names are there whole, as they were given; what ``text``
  /// cuts or escapes, is not cut here.
  public func json() -> String { JSON.document(self) }

  /// Reads a report that ``json()`` has written.
  ///
  /// It is the same value again, to the last digit of its times. Keys that this version does not know are passed over.
  /// - Throws: When the text is no JSON, has another schema, lacks a key, or has a value that its key cannot have. A
  ///   report that makes no sense (a straggler that is no phase of it, a circle of requirements) is no error.
  public init(json: String) throws(ReportFormatError) { self = try JSON.read(json) }
}

extension LifecycleSnapshot {
  /// The snapshot as JSON: `schemas/lifecycle-snapshot-1.json` of this package describes it.
  ///
  /// Pretty, with sorted keys and a line break at its end. Times are numbers of seconds, states are words, and what is not
  /// known is `null`.
  public func json() -> String { JSON.document(self) }

  /// Reads a snapshot that ``json()`` has written, also one of a later version within the same schema.
  ///
  /// - Throws: When the text is no JSON, has another schema, lacks a key, or has a value that its key cannot have.
  public init(json: String) throws(ReportFormatError) { self = try JSON.read(json) }
}

extension StopPlan {
  /// The plan as JSON: `schemas/lifecycle-plan-1.json` of this package describes it.
  ///
  /// Pretty, with sorted keys and a line break at its end, so that the same plan is always the same text: it can be kept in
  /// a repository, and a change of it seen in a review. Times are numbers of seconds, and what is not known is `null`.
  public func json() -> String { JSON.document(self) }

  /// Reads a plan that ``json()`` has written.
  ///
  /// What is read is what it was made of: the grace, the phases, their limits and what they require. The times are
  /// reckoned anew from that, so they are always those of this version.
  /// - Throws: When the text is no JSON, has another schema, lacks a key, or has a value that its key cannot have.
  public init(json: String) throws(ReportFormatError) { self = try JSON.read(json) }

  /// Whether a text is meant to be a plan, and not a report.
  package static func isMeant(by json: String) -> Bool { (try? JSON.decode(Mark.self, from: json)) != nil }
}

extension JSON {
  fileprivate static func document(_ value: some Encodable) -> String {
    // Only a Double can fail to be encoded, by being no number, and there is none in our documents.
    (try? text(of: value)) ?? ""
  }

  fileprivate static func read<Document: Decodable>(_ json: String) throws(ReportFormatError) -> Document {
    do {
      return try decode(Document.self, from: json)
    } catch let error as DecodingError {
      throw ReportFormatError(error)
    } catch {
      throw ReportFormatError(.notJSON, at: "", "\(error)")
    }
  }
}

public import GracefulShutdown

extension LifecycleReport {
  /// The report as JSON: `schemas/lifecycle-report-1.json` of this package describes it.
  ///
  /// Pretty, with sorted keys and a line break at its end, so that the same report is always the same text. Times are
  /// numbers of seconds, kinds are words, and what is not known is `null`. Names are there whole, as they were given; what
  /// ``text`` cuts or escapes, is not cut here.
  public func json() -> String { JSONText.text(of: ReportDocument(self)) }

  /// Reads a report that ``json()`` has written.
  ///
  /// It is the same value again, to the last digit of its times. Keys that this version does not know are passed over.
  /// - Throws: When the text is no JSON, has another schema, lacks a key, or has a value that its key cannot have. A
  ///   report that makes no sense (a straggler that is no phase of it, a circle of requirements) is no error.
  public init(json: String) throws(ReportFormatError) {
    let schema = try JSONText.decode(SchemaDocument.self, from: json).schema.number
    guard schema == ReportDocument.schema else {
      throw ReportFormatError(.otherSchema, at: "schema", "its schema is \(schema)")
    }
    self = try JSONText.decode(ReportDocument.self, from: json).value()
  }
}

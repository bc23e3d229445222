internal import GracefulShutdown

/// Who asked for a stop, why, and how urgently, in JSON.
struct RequestDocument: Codable {
  var who: SourceDocument
  var why: String
  var urgency: Urgency

  enum Urgency: String, Codable {
    case drain, cancelNow, exitNow
  }

  init(_ request: StopRequest) {
    who = SourceDocument(request.source)
    why = request.why
    urgency =
      switch request.urgency.kind {
      case .drain: .drain
      case .cancelNow: .cancelNow
      case .exitNow: .exitNow
      }
  }

  func value(at path: String) throws(ReportFormatError) -> StopRequest {
    let urgency: StopRequest.Urgency =
      switch urgency {
      case .drain: .drain
      case .cancelNow: .cancelNow
      case .exitNow: .exitNow
      }
    return StopRequest(source: try who.value(at: "\(path).who"), why: why, urgency: urgency)
  }
}

/// Which keys it has beside `kind` and `text`, depends on the kind.
struct SourceDocument: Codable {
  var kind: Kind
  /// For people; not read back.
  var text: String?
  var signal: JSONInteger<Int32>?
  var pid: JSONInteger<Int32>?
  var phase: String?
  var path: String?
  var name: String?
  var detail: String?
  var escalates: Bool?

  enum Kind: String, Codable {
    case signal, code, successor, phaseFailed, phaseEnded, cancellation, serviceGroup, control, file, http, custom
  }

  init(_ source: StopRequest.Source) {
    text = source.description
    switch source.origin {
    case .signal(let number): (kind, signal) = (.signal, JSONInteger(number))
    case .code: kind = .code
    case .successor(let process): (kind, pid) = (.successor, JSONInteger(process))
    case .phaseFailed(let name): (kind, phase) = (.phaseFailed, name)
    case .phaseEnded(let name): (kind, phase) = (.phaseEnded, name)
    case .cancellation: kind = .cancellation
    case .serviceGroup: kind = .serviceGroup
    case .control: kind = .control
    case .file(let file): (kind, path) = (.file, file)
    case .http: kind = .http
    case .custom(let name, let detail, let escalates):
      (kind, self.name, self.detail, self.escalates) = (.custom, name, detail, escalates)
    }
  }

  func value(at place: String) throws(ReportFormatError) -> StopRequest.Source {
    switch kind {
    case .signal: .signal(try there(signal, "\(place).signal").number)
    case .code: .code
    case .successor: .successor(try there(pid, "\(place).pid").number)
    case .phaseFailed: .phaseFailed(try there(phase, "\(place).phase"))
    case .phaseEnded: .phaseEnded(try there(phase, "\(place).phase"))
    case .cancellation: .cancellation
    case .serviceGroup: .serviceGroup
    case .control: .control
    case .file: .file(try there(path, "\(place).path"))
    case .http: .http
    case .custom:
      StopRequest.Source(
        kind: try there(name, "\(place).name"), detail: try there(detail, "\(place).detail"),
        escalatesWhenRepeated: try there(escalates, "\(place).escalates"))
    }
  }
}

/// What its kind must have.
func there<Value>(_ value: Value?, _ path: String) throws(ReportFormatError) -> Value {
  guard let value else { throw ReportFormatError(.missingKey, at: path, "") }
  return value
}

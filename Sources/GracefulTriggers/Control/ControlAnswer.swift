/// What a program says at its control socket.
package enum ControlAnswer: Hashable, Sendable {
  /// First of all: who it is.
  ///
  /// `generation` is 0 for a program that takes no part in handovers.
  case serving(process: UInt32, generation: UInt32)
  /// It will not do what was asked for; final.
  case refused(Refusal, String)
  /// The stop has been asked for, and it will stop; final for who does not wait.
  case accepted
  /// A part of a document in JSON: a snapshot or a plan, whatever was asked for.
  case part([UInt8])
  /// The document is whole; final but for a client that asked for more than one.
  case whole
  /// Everything has ended or was abandoned, and the process is about to exit with this code; final.
  case stopped(exitCode: Int32, summary: String)
  /// A successor has taken over; final.
  case restarted(process: UInt32)
  /// The restart came to nothing, and this process serves on; final.
  case failed(String)

  /// Why it does not do it.
  package struct Refusal: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt16
    package init(rawValue: UInt16) { self.rawValue = rawValue }
    /// Ask again in a moment; another process may answer then.
    package static let busy = Refusal(rawValue: 1)
    package static let unknownRequest = Refusal(rawValue: 2)
    package static let malformed = Refusal(rawValue: 3)
    /// This program cannot do it at all.
    package static let impossible = Refusal(rawValue: 4)
  }

  /// How much of a document goes in one frame.
  package static let partLength = 32 * 1024
}

extension ControlAnswer {
  private enum Kind: UInt16 {
    case serving = 80
    case refused = 81
    case accepted = 82
    case part = 83
    case whole = 84
    case stopped = 85
    case restarted = 86
    case failed = 87
  }

  /// A document in parts.
  package static func document(_ text: String) -> [ControlAnswer] {
    var rest = Array(text.utf8)[...]
    var answers: [ControlAnswer] = []
    while !rest.isEmpty {
      answers.append(.part(Array(rest.prefix(partLength))))
      rest = rest.dropFirst(partLength)
    }
    return answers + [.whole]
  }

  /// The type of its frame, and what is in that.
  package var frame: (type: UInt16, payload: [UInt8]) {
    var bytes = ControlBytes()
    let kind: Kind
    switch self {
    case .serving(let process, let generation):
      kind = .serving
      bytes.add(process)
      bytes.add(generation)
    case .refused(let refusal, let reason):
      kind = .refused
      bytes.add(refusal.rawValue)
      bytes.add(reason)
    case .accepted: kind = .accepted
    case .part(let part): return (Kind.part.rawValue, part)
    case .whole: kind = .whole
    case .stopped(let code, let summary):
      kind = .stopped
      bytes.add(UInt32(bitPattern: code))
      bytes.add(summary)
    case .restarted(let process):
      kind = .restarted
      bytes.add(process)
    case .failed(let reason):
      kind = .failed
      bytes.add(reason)
    }
    return (kind.rawValue, bytes.all)
  }

  /// What a frame says.
  /// - Throws: When nothing of the kind is known, or it is not written as its kind is.
  package init(type: UInt16, payload: [UInt8]) throws(ControlFrameError) {
    guard let kind = Kind(rawValue: type) else { throw .unknown(type: type) }
    var bytes = ByteReader(payload)
    let answer: ControlAnswer?
    switch kind {
    case .serving:
      if let process = bytes.number(UInt32.self), let generation = bytes.number(UInt32.self) {
        answer = .serving(process: process, generation: generation)
      } else {
        answer = nil
      }
    case .refused:
      answer = bytes.number(UInt16.self).flatMap { code in
        bytes.text().map { .refused(Refusal(rawValue: code), $0) }
      }
    case .accepted: answer = .accepted
    case .part:
      self = .part(payload)
      return
    case .whole: answer = .whole
    case .stopped:
      answer = bytes.number(UInt32.self).flatMap { code in
        bytes.text().map { .stopped(exitCode: Int32(bitPattern: code), summary: $0) }
      }
    case .restarted: answer = bytes.number(UInt32.self).map { .restarted(process: $0) }
    case .failed: answer = bytes.text().map { .failed($0) }
    }
    guard let answer, bytes.isAtEnd else { throw .malformed(type: type) }
    self = answer
  }
}

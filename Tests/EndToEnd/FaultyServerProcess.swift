import Foundation

/// A FaultyServer as a process of its own, and what it says about itself at the end.
struct FaultyServerProcess {
  private let process: Process
  private let exits: AsyncStream<Int32>
  private let tallyFile: URL
  let port: Int

  struct DidNotServe: Error {
    var output: String
  }

  static var executable: URL {
    get throws {
      // The tests run in the folder into which everything is built.
      let runner = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
      return URL(fileURLWithPath: runner).deletingLastPathComponent().appendingPathComponent("FaultyServer")
    }
  }

  init(_ options: [String]) async throws {
    tallyFile = FileManager.default.temporaryDirectory.appendingPathComponent("tally-\(UUID().uuidString).json")
    process = Process()
    process.executableURL = try Self.executable
    process.arguments = ["--listen", "127.0.0.1:0", "--tally", tallyFile.path] + options

    let (exits, exit) = AsyncStream<Int32>.makeStream()
    self.exits = exits
    process.terminationHandler = { exit.yield($0.terminationReason == .exit ? $0.terminationStatus : -1) }
    let output = Pipe()
    let (chunks, chunk) = AsyncStream<Data>.makeStream()
    output.fileHandleForReading.readabilityHandler = { handle in
      let data = handle.availableData
      if data.isEmpty { chunk.finish() } else { chunk.yield(data) }
    }
    process.standardOutput = output
    try process.run()

    var text = ""
    for await data in chunks {
      text += String(decoding: data, as: UTF8.self)
      if text.contains("\n") { break }
    }
    output.fileHandleForReading.readabilityHandler = nil
    guard text.hasPrefix("serving http://127.0.0.1:"), text.hasSuffix("\n"),
      let port = text.dropLast().split(separator: ":").last.flatMap({ Int($0) })
    else {
      process.terminate()
      throw DidNotServe(output: text)
    }
    self.port = port
  }

  /// Ends it with SIGTERM: its exit code, and the tally that it leaves behind.
  func end() async throws -> (code: Int32?, tally: FaultyServerTally) {
    process.terminate()
    var code: Int32?
    for await status in exits {
      code = status
      break
    }
    let tally = try JSONDecoder().decode(FaultyServerTally.self, from: Data(contentsOf: tallyFile))
    try FileManager.default.removeItem(at: tallyFile)
    return (code, tally)
  }
}

/// The tally file.
struct FaultyServerTally: Decodable, Equatable {
  var connections: Int
  var received: Int
  var answered: Int
  var faults: [String: Int]
  var inFlight: Int
  var clientLeft: Int
  var tooLate: Int
  var notUnderstood: Int

  /// Every request that it has read has ended in exactly one way.
  var addsUp: Bool {
    let unanswered = ["close", "reset", "cut", "delay", "badStatus", "wrongBody"].map { faults[$0] ?? 0 }.reduce(0, +)
    return received == answered + inFlight + clientLeft + unanswered
  }
}

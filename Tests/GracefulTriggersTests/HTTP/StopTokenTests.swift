import CGracefulSystem
import Foundation
import GracefulTriggers
import Exploration
import Testing

@Suite("A stop token")
struct StopTokenTests {
  @Test("is matched by itself and by nothing else")
  func comparison() throws {
    var random = SplitMix64(seed: 7)
    for length in 1...64 {
      let text = String(
        (0..<length).map { _ in Character(Unicode.Scalar(UInt8.random(in: 0x21...0x7E, using: &random))) })
      let token = try #require(StopToken(text))
      #expect(token.matches(text))
      #expect(!token.matches(""))
      #expect(!token.matches(text + text))
      #expect(!token.matches(text + "x"))
      #expect(!token.matches(text.dropLast()))
      #expect(!token.matches(text + "\u{0}"))
      for index in 0..<length {
        var other = Array(text.utf8)
        other[index] ^= 1 << UInt8.random(in: 0...6, using: &random)
        #expect(!token.matches(String(decoding: other, as: UTF8.self)))
      }
    }
    #expect(try !#require(StopToken("a")).matches(String(repeating: "a", count: 1_000_000)))
  }

  @Test("is nothing that a header cannot carry")
  func forms() {
    for text in ["", " ", "a b", "a\n", "ä", "\u{0}", String(repeating: "a", count: 4097)] {
      #expect(StopToken(text) == nil)
    }
    #expect(StopToken(String(repeating: "a", count: 4096)) != nil)
  }

  @Test("is not shown by whatever prints it")
  func secrecy() throws {
    let token = try #require(StopToken("s3cret"))
    var dumped = ""
    dump(token, to: &dumped)
    #expect(!"\(token) \(String(reflecting: token)) \(dumped)".contains("s3cret"))
  }

  private struct Directory: ~Copyable {
    let path = NSTemporaryDirectory() + "graceful-token-\(UUID().uuidString)"
    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false) }
    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ text: String, mode: Int) throws -> String {
      let file = path + "/\(UUID().uuidString)"
      try Data(text.utf8).write(to: URL(fileURLWithPath: file))
      try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
      return file
    }
  }

  @Test("is read from a file that others cannot read, with the blanks around it left away")
  func file() throws {
    let directory = try Directory()
    for mode in [0o400, 0o600, 0o440] {
      let path = try directory.file("\n s3cret\r\n", mode: mode)
      #expect(try StopTokenSource.file(path).read() == StopToken("s3cret"))
    }
    // As Kubernetes mounts a secret.
    let link = directory.path + "/token"
    try FileManager.default.createSymbolicLink(
      atPath: link, withDestinationPath: try directory.file("s3cret", mode: 0o400))
    #expect(try StopTokenSource.file(link).read() == StopToken("s3cret"))
  }

  @Test("is refused from a file that others can read or change, and the error says what to do")
  func openFile() throws {
    let directory = try Directory()
    for mode in [0o444, 0o644, 0o604, 0o620, 0o602, 0o666, 0o401] {
      let path = try directory.file("s3cret", mode: mode)
      let error = try #require(throws: StopTokenError.self) { try StopTokenSource.file(path).read() }
      #expect(error.description.contains(path) && error.description.contains("chmod 0400"))
    }
  }

  @Test("is refused from what is empty, no file, or not there, without waiting for it")
  func badFiles() throws {
    let directory = try Directory()
    #expect(mkfifo(directory.path + "/pipe", 0o600) == 0)
    let cases = [
      (try directory.file("", mode: 0o400), "is empty"), (try directory.file(" \n", mode: 0o400), "is empty"),
      (try directory.file("two words", mode: 0o400), "cannot be sent in a header"),
      (try directory.file(String(repeating: "a", count: 100_000), mode: 0o400), "cannot be sent in a header"),
      (directory.path, "no regular file"), (directory.path + "/pipe", "no regular file"),
      (directory.path + "/none", "cannot be read"), ("", "empty"), ("a\u{0}b", "zero byte"),
    ]
    for (path, reason) in cases {
      let error = try #require(throws: StopTokenError.self) { try StopTokenSource.file(path).read() }
      #expect(error.description.contains(reason), "\(error)")
    }
  }

  @Test("of an environment variable is there or named as missing")
  func environment() throws {
    #expect(throws: StopTokenError.self) { try StopTokenSource.environment("GRACEFUL_NO_SUCH_TOKEN").read() }
    // Whatever runs the tests has one, and a path is visible ASCII without blanks.
    let path = try #require(ProcessInfo.processInfo.environment["PATH"])
    #expect(try StopTokenSource.environment("PATH").read() == StopToken(path))
  }
}

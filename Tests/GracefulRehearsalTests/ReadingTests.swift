import GracefulProcesses
import NIOCore
import SystemPackage
import Testing

@testable import GracefulRehearsal

@Suite("What is read from others") struct ReadingTests {
  @Test(
    "A line of the server means something or nothing",
    arguments: [
      ("serving http://127.0.0.1:8080 generation 3 pid 42", true), ("serving http://x generation x pid 42", false),
      ("serving http://127.0.0.1:8080 generation 3 pid", false), ("paused pid 42", true), ("paused pid -1", false),
      ("paused pid 42 now", false), ("", false), ("generation 3 pid 42", false),
    ])
  func lines(line: String, means: Bool) {
    #expect((ServerLine(line) != nil) == means)
  }

  @Test("A serving line names address, generation and process") func serving() {
    let identity = ServerIdentity(generation: 3, pid: ProcessID(rawValue: 42))
    #expect(ServerLine("serving http://[::1]:80 generation 3 pid 42") == .serving(url: "http://[::1]:80", identity))
    #expect(ServerIdentity(body: "generation 3 pid 42\n") == identity)
    #expect(ServerIdentity(body: "hello") == nil)
  }

  @Test("Lines are cut wherever the bytes were") func splitting() {
    var splitter = LineSplitter(bound: 4)
    #expect(splitter.lines(after: Array("ab".utf8)) == [])
    #expect(splitter.lines(after: Array("c\n\nde".utf8)) == ["abc", ""])
    #expect(splitter.lines(after: Array("fghijk\nl\n".utf8)) == ["defg", "l"], "a long line is cut at the bound")
  }

  @Test(
    "A URL is read or refused",
    arguments: [
      ("http://127.0.0.1:8080", "http://127.0.0.1:8080/"), ("http://localhost", "http://localhost:80/"),
      ("http://[::1]:81/a?b=c#d", "http://[::1]:81/a?b=c"), ("http://h?x", "http://h:80/?x"),
      ("https://127.0.0.1", nil), ("127.0.0.1:80", nil), ("http://", nil), ("http://h:0", nil), ("http://h:65536", nil),
      ("http://h:x", nil), ("http://h:+1", nil), ("http://u@h", nil), ("http://h/a b", nil), ("http://[::1", nil),
    ] as [(String, String?)])
  func urls(text: String, expected: String?) {
    #expect(TargetURL(text)?.description == expected)
  }

  @Test(
    "A way to restart is read or refused",
    arguments: [
      ("start-again", "start-again"), ("signal:HUP", "signal:HUP"), ("signal:SIGUSR2", "signal:USR2"),
      ("signal:hup", "signal:HUP"), ("command:nginx -s reload", "command:nginx -s reload"), ("command: ", nil),
      ("signal:NOPE", nil), ("signal:", nil), ("", nil), ("restart", nil),
    ] as [(String, String?)])
  func restarts(text: String, expected: String?) {
    #expect(RestartMethod(text)?.description == expected)
  }

  @Test(
    "A command becomes what is run",
    arguments: [
      ([], ["/bin/g", "demo", "--listen", "127.0.0.1:0", "--socket", "/s"], true),
      (
        ["graceful", "demo", "--response-delay", "200ms"],
        ["/bin/g", "demo", "--response-delay", "200ms", "--listen", "127.0.0.1:0", "--socket", "/s"], true
      ),
      (
        ["./graceful", "demo", "--listen=127.0.0.1:1", "--socket", "/t"],
        ["./graceful", "demo", "--listen=127.0.0.1:1", "--socket", "/t"], true
      ),
      (["graceful", "stop"], ["/bin/g", "stop"], false), (["nginx", "-c", "x"], ["nginx", "-c", "x"], false),
    ] as [([String], [String], Bool)])
  func commands(words: [String], run: [String], isDemo: Bool) {
    let command = ServerCommand(words, graceful: "/bin/g", socket: "/s")
    #expect(command.words == run)
    #expect(command.isDemo == isDemo)
  }

  @Test("Several source addresses are used only where the system keeps ports and the destination is IPv4 loopback")
  func sources() throws {
    let loopback = try SocketAddress(ipAddress: "127.0.0.1", port: 80)
    let six = try SocketAddress(ipAddress: "::1", port: 80)
    #expect(SourceAddresses.needed(for: loopback, reuse: "0").count == SourceAddresses.count)
    #expect(SourceAddresses.needed(for: loopback, reuse: "2").isEmpty)
    #expect(SourceAddresses.needed(for: loopback, reuse: nil).isEmpty)
    #expect(SourceAddresses.needed(for: six, reuse: "0").isEmpty)
  }

  @Test("A request belongs to the phase in which any of it lay") func phases() {
    func at(_ milliseconds: Int64) -> NIODeadline { .uptimeNanoseconds(UInt64(milliseconds) * 1_000_000) }
    let windows = RestartWindows()
    #expect(windows.phase(from: at(0), to: at(5)) == .steady)
    windows.open(at: at(100))
    #expect(windows.phase(from: at(90), to: at(99)) == .steady)
    #expect(windows.phase(from: at(90), to: at(101)) == .restarting)
    #expect(windows.phase(from: at(5000), to: at(5001)) == .restarting, "it goes on")
    windows.close(at: at(200))
    #expect(windows.phase(from: at(700), to: at(800)) == .restarting)
    #expect(windows.phase(from: at(701), to: at(800)) == .between)
    windows.open(at: at(1000))
    #expect(windows.phase(from: at(950), to: at(990)) == .between)
    #expect(windows.phase(from: at(950), to: at(1000)) == .restarting)
  }
}

@Suite("Why a connection could not be made") struct ConnectFailureTests {
  @Test(
    "What the server's side says is the server's, everything else is our own machine's",
    arguments: [
      (Errno.connectionRefused, RequestStateMachine.ConnectFailure.refused), (.noRouteToHost, .refused),
      (.connectionReset, .reset), (.timedOut, .timedOut),
      (.addressNotAvailable, .ownMachine(errno: Errno.addressNotAvailable.rawValue)),
      (.tooManyOpenFiles, .ownMachine(errno: Errno.tooManyOpenFiles.rawValue)),
      (.noMemory, .ownMachine(errno: Errno.noMemory.rawValue)),
    ])
  func classes(errno: Errno, expected: RequestStateMachine.ConnectFailure) {
    #expect(RequestStateMachine.ConnectFailure.from(errno) == expected)
  }
}

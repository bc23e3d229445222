import GracefulProcesses
import NIOCore
import NIOHTTP1
import NIOPosix
import TestHost
import Testing

@testable import GracefulRehearsal

@Suite("From which process an answer comes")
struct RestartWitnessTests {
  private static let us = ProcessID.current.rawValue
  private static func process(_ id: Int32, parent: Int32 = us, started: UInt64 = 1000) -> ProcessEntry {
    ProcessEntry(
      stat: "\(id) (server) S \(parent) " + Array(repeating: "0", count: 17).joined(separator: " ") + " \(started)")!
  }

  private static let old = process(10)
  private static let worker = process(11, parent: 10)
  private static let new = process(20, started: 2000)
  private static let stranger = process(30, parent: 1)
  private static let before = [process(1, parent: 0, started: 1), process(us, parent: 1), old, worker, stranger]

  private func source(
    _ holders: [ProcessEntry], word: AnswerWord = AnswerWord(), new: [ProcessEntry] = [new], since: [ProcessEntry] = [],
    answering: [ProcessEntry] = [], generation: Int? = nil
  ) -> AnswerSource {
    RestartWitness(before: Self.before, answering: answering, generation: generation).source(
      word: word, holders: holders, known: Self.before + new, table: Self.before + new + since)
  }

  @Test("The other end of the connection is the proof: a new process has it, and no old one")
  func connection() {
    #expect(source([Self.new]) == .new(20, .connection))
    #expect(source([Self.old]) == .old(10))
    #expect(source([Self.worker]) == .old(11))
    #expect(source([Self.new, Self.old]) == .old(10), "a child that was just started has what its server has")
    #expect(source([]) == .unknown)
    #expect(source([Self.stranger]) == .unknown, "a proxy")
    #expect(source([Self.stranger], answering: [Self.stranger]) == .old(30), "a server that a manager runs")
  }

  @Test("A process that is started for each connection is whose child it is")
  func forks() {
    let ofNew = Self.process(40, parent: 20, started: 3000)
    let ofOld = Self.process(41, parent: 10, started: 3000)
    let orphan = Self.process(42, started: 3000)
    #expect(source([ofNew], since: [ofNew]) == .new(40, .connection))
    #expect(source([ofOld], since: [ofOld]) == .old(41))
    #expect(source([orphan], since: [orphan]) == .unknown, "where it comes from is not to be seen")
  }

  @Test("A new worker of an old process that stays is new")
  func workers() {
    let worker = Self.process(50, parent: 10, started: 2000)
    #expect(source([worker], new: [worker]) == .new(50, .connection))
    let witness = RestartWitness(before: Self.before)
    #expect(witness.top(above: 50, among: Self.before.filter { $0.parent.rawValue != 0 } + [worker]) == nil)
    let child = Self.process(21, parent: 20, started: 2000)
    #expect(witness.top(above: 21, among: [Self.old, Self.new, child]) == Self.new.id)
  }

  @Test("A number that was used again is another process")
  func numbers() {
    let again = Self.process(10, started: 2000)
    #expect(
      RestartWitness(before: Self.before).source(word: AnswerWord(), holders: [again], known: [again], table: [again])
        == .new(10, .connection))
  }

  @Test("The server's own word comes first, where it means a process that can be seen")
  func word() {
    #expect(source([Self.old], word: AnswerWord(pid: 20)) == .new(20, .word))
    #expect(source([Self.new], word: AnswerWord(pid: 10)) == .old(10))
    #expect(source([Self.new], word: AnswerWord(pid: 1)) == .new(20, .connection), "the number of a container's inside")
    #expect(source([Self.new], word: AnswerWord(pid: 999)) == .new(20, .connection))
    #expect(source([], word: AnswerWord(generation: 3), generation: 2) == .new(nil, .word))
    #expect(source([], word: AnswerWord(generation: 2), generation: 2) == .unknown)
    #expect(source([], word: AnswerWord(generation: 3)) == .unknown)
  }

  @Test(
    "A word is found in headers and in bodies",
    arguments: [
      ([:], "generation 3 pid 42\n", 42, 3), (["X-Pid": "7"], "pid 42", 7, nil), ([:], "{\"pid\": 42}", 42, nil),
      ([:], "pid=42", 42, nil), (["X-Generation": "9"], "", nil, 9), ([:], "rapid 42, pids 3", nil, nil),
      ([:], "pid -1", nil, nil), ([:], "pid 99999999999", nil, nil), (["X-Pid": "x"], "hello", nil, nil),
    ] as [([String: String], String, Int32?, Int?)])
  func words(headers: [String: String], body: String, pid: Int32?, generation: Int?) {
    #expect(
      AnswerWord(.init(headers.map { ($0.key, $0.value) }), body: body) == AnswerWord(pid: pid, generation: generation))
  }

  @Test(
    "The other end of a connection is found by its inode, in the process that has accepted it",
    arguments: ["127.0.0.1", "::1"])
  func serverEnd(host: String) async throws {
    let group = MultiThreadedEventLoopGroup.singleton
    let server = try await ServerBootstrap(group: group).bind(host: host, port: 0).get()
    let address = try #require(server.localAddress)
    let channel = try await ClientBootstrap(group: group).connect(to: address).get()
    let end = try #require(ServerEnd(channel))
    #expect(await eventually { end.inode != nil })
    #expect(end.inode == end.inodeInTables)
    let own = try #require(ProcessTable.entry(.current))
    let others = ProcessTable.all().filter { $0.id != .current }
    #expect(end.holders(among: [own]) == [own] && end.holders(among: others) == [])
    let other = ServerEnd(own: end.own, peer: .init(bytes: end.peer.bytes, port: 1))
    #expect(other.inode == nil && other.inodeInTables == nil, "the listener is no end of it")
    try await channel.close()
    #expect(await eventually { end.inode == nil })
    try await server.close()
  }

  @Test("A line of the system's table is read")
  func line() {
    let own = ServerEnd.Address(bytes: [127, 0, 0, 1], port: 8080)
    let peer = ServerEnd.Address(bytes: [10, 1, 2, 3], port: 50000)
    #expect(own.inTable == "0100007F:1F90" && own.mapped.inTable == "0000000000000000FFFF00000100007F:1F90")
    let text =
      "   1: 0100007F:1F90 0302010A:C350 01 00000000:00000000 00:00000000 00000000  1000        0 12345 1 0 20 4"
    func inode(_ own: ServerEnd.Address, _ peer: ServerEnd.Address, _ line: String) -> UInt64? {
      ConnectionTable.inode(Array(own.inTable.utf8), Array(peer.inTable.utf8), in: Array(line.utf8))
    }
    #expect(inode(own, peer, text) == 12345)
    #expect(inode(peer, own, text) == nil)
    #expect(inode(own, peer, "  sl  local_address rem_address") == nil)
  }
}

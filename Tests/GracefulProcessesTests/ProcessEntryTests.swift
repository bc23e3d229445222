import GracefulProcesses
import Testing

@Suite("The process table") struct ProcessEntryTests {
  static let rest = "1 7 7 0 -1 4194560 0 0 0 0 1 2 3 4 20 0 1 0 98765 1000 10"

  @Test(
    "A name may contain anything, also what looks like the end of the name",
    arguments: ["graceful", "a b", "x) R 1 (y", ")", "("])
  func names(name: String) throws {
    let entry = try #require(ProcessEntry(stat: "42 (\(name)) S \(Self.rest)\n"))
    #expect(entry.id.rawValue == 42)
    #expect(entry.parent.rawValue == 1)
    #expect(entry.name == name)
    #expect(entry.state == "S")
    #expect(entry.started == 98765)
    #expect(!entry.isZombie)
  }

  @Test("What is no line of /proc/PID/stat is no entry", arguments: ["", "42", "42 (a", "42 (a) S 1", "x (a) S 1 2 3"])
  func nonsense(line: String) {
    #expect(ProcessEntry(stat: line) == nil)
  }

  @Test("Descendants are found through every generation, and a circle is walked once")
  func descendants() throws {
    func entry(_ id: Int, _ parent: Int) throws -> ProcessEntry {
      try #require(ProcessEntry(stat: "\(id) (p) S \(parent) 7 7 0 -1 4194560 0 0 0 0 1 2 3 4 20 0 1 0 9 1000 10"))
    }
    let all = try [entry(2, 1), entry(3, 2), entry(4, 3), entry(5, 1), entry(6, 5), entry(7, 7), entry(2, 4)]
    let found = ProcessTable.descendants(of: ProcessID(rawValue: 2), among: all).map(\.id.rawValue)
    #expect(found.sorted() == [3, 4])
  }

  @Test("This process is in the table, below its parent")
  func myself() throws {
    let entry = try #require(ProcessTable.all().first { $0.id == .current })
    #expect(entry.parent == .parent)
  }
}

import CGracefulSystem
import GracefulDescriptors
import GracefulShutdown
import GracefulTesting
import Testing

@testable import Graceful

@Suite("NOTIFY_SOCKET", .timeLimit(.minutes(1)))
struct NotifySocketTests {
  @Test("takes a path and an abstract name")
  func addresses() async throws {
    let folder = try Folder()
    for address in ["\(folder.path)/notify", "@graceful-test-\(cgs_process_id())-\(UInt32.random(in: 0 ... .max))"] {
      let listener = try DatagramListener(address)
      #expect(try NotifySocket(address).send("READY=1\nSTATUS=x") == .sent)
      #expect(await listener.hears("READY=1\nSTATUS=x"))
    }
  }

  @Test("refuses what is no such address, and says why", arguments: ["notify", "vsock:2:1234", "@", "/", "tcp://x"])
  func noAddress(address: String) {
    #expect(throws: SystemError.self) { try NotifySocket(address) }
  }

  @Test("refuses a path that is too long rather than to cut it")
  func tooLong() {
    #expect(throws: SystemError.self) { try NotifySocket("/" + String(repeating: "x", count: 200)) }
  }

  @Test("with nobody there is an error, and nobody waits; a full one is full, and nobody waits either")
  func nobody() throws {
    let folder = try Folder()
    let path = "\(folder.path)/notify"
    guard case .failed(let error) = try NotifySocket(path).send("READY=1") else {
      Issue.record("sent to nobody")
      return
    }
    #expect(error.description.contains(path))
    let listener = try DatagramListener(path)
    let socket = try NotifySocket(path)
    var sent = 0
    // net.unix.max_dgram_qlen is 10 or 512, mostly.
    while sent < 100_000, socket.send("STATUS=\(sent)") == .sent { sent += 1 }
    #expect(socket.send("READY=1") == .full)
    #expect(listener.all().count == sent)
    #expect(socket.send("READY=1") == .sent)
  }
}

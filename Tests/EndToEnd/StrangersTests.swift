import Foundation
import GracefulHandover
import GracefulProcesses
import TestHost
import Testing

@Suite("Strangers on the handover socket", .sharing(.processors), .timeLimit(.minutes(2)))
struct StrangersTests {
  @Test("whatever they send is answered or cut off, costs no descriptor, and the server serves on and can be replaced")
  func strangers() async throws {
    let directory = try TestDirectory()
    let socket = directory.path("s")
    let demo = try ToolProcess(["demo", "--listen", "127.0.0.1:0", "--socket", socket], in: directory)
    let serving = try #require(await demo.serving())
    _ = await WireClient.answer(port: serving.port)
    let descriptors = Observed.descriptors(of: serving.pid)

    var huge = Preamble(purpose: .handover, program: "x").encoded
    huge.replaceSubrange(12..<16, with: [255, 255, 255, 255])
    let inputs: [(what: String, bytes: [UInt8], answer: String)] = [
      ("nothing", [], "nothing complete came within"),
      ("half a preamble", Array("GRACE".utf8), "nothing complete came within"),
      ("HTTP", Array("GET / HTTP/1.1\r\n\r\n".utf8), "not those of this protocol"),
      ("a text of 2^32-1 bytes", huge, "4294967295 bytes of text"),
      (
        "a purpose that nobody knows",
        Preamble(purpose: .init(rawValue: 9), program: "x").encoded,
        "purpose 9 is not known here"
      ),
      ("control", Preamble(purpose: .control, program: "x").encoded, "no request came within 2.0 seconds"),
      (
        "another version", Preamble(version: 7, purpose: .handover, program: "x").encoded,
        "speaks version 1 of the protocol, not 7"
      ),
    ]
    for (what, bytes, answer) in inputs {
      let peer = try await WireClient.connect(socket: socket)
      if !bytes.isEmpty { try await peer.send(bytes: bytes) }
      #expect(await peer.ends(), "\(what)")
      #expect(peer.text.contains(answer), "\(what): \(peer.text)")
      #expect(peer.text.hasPrefix("GRACEFUL"), "\(what)")
    }
    // A peer that gets as far as being offered everything, and floods with frames of an unknown type.
    let peer = try ToolProcess(["handover-peer", "flood", socket, "x"], executable: "TestProgram", in: directory)
    #expect(await peer.end(within: .seconds(10)) == .exited(0), "\(demo.errors)")
    #expect(demo.errors.contains("16 frames of types that are not known"))
    #expect(await WireClient.answer(port: serving.port)?.contains("generation 1") == true)
    // More of them at once than are listened to, who say nothing.
    var crowd: [WireClient] = []
    for _ in 0..<40 { crowd.append(try await WireClient.connect(socket: socket)) }
    #expect(await WireClient.answer(port: serving.port)?.contains("generation 1") == true)
    for peer in crowd { #expect(await peer.ends()) }
    for peer in crowd { peer.close() }
    #expect(await eventually { Observed.descriptors(of: serving.pid) <= descriptors })

    let next = try ToolProcess(["demo", "--listen", "127.0.0.1:0", "--socket", socket], in: directory)
    #expect(await next.serving(generation: 2)?.port == serving.port, "\(next.errors)")
  }

  @Test("one that breaks the protocol with the listeners in its hands is killed if it does not let go, and only then")
  func lettingGo() async throws {
    let directory = try TestDirectory()
    let demo = try ToolProcess(["demo", "--listen", "127.0.0.1:0", "--socket", directory.path("s")], in: directory)
    let serving = try #require(await demo.serving())
    let gone = try ToolProcess(
      ["handover-peer", "stranger", directory.path("s"), "lets-go"], executable: "TestProgram", in: directory)
    #expect(await eventually { gone.output.contains("4294967295") }, "\(gone.output)")
    let kept = try ToolProcess(
      ["handover-peer", "stranger", directory.path("s"), "lingers"], executable: "TestProgram", in: directory)
    #expect(await kept.end() == .signaled(SIGKILL))
    #expect(kept.output.contains("4294967295"))
    // The first one has had more time than the second.
    #expect(gone.child.status == nil)
    #expect(await WireClient.answer(port: serving.port)?.contains("generation 1") == true)
  }
}

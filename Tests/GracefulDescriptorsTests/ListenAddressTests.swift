import GracefulDescriptors
import SystemPackage
import Testing

@Suite("An address to listen on")
struct ListenAddressTests {
  @Test(
    "is read from its text",
    arguments: [
      ("127.0.0.1:8080", "127.0.0.1", 8080, "127.0.0.1:8080"), ("0.0.0.0:0", "0.0.0.0", 0, "0.0.0.0:0"),
      ("127.0.0.1:65535", "127.0.0.1", 65535, "127.0.0.1:65535"), ("[::1]:80", "::1", 80, "[::1]:80"),
      ("[::]:0", "::", 0, "[::]:0"), ("[0:0:0:0:0:0:0:1]:80", "::1", 80, "[::1]:80"),
      ("[2001:DB8::0:1]:1", "2001:db8::1", 1, "[2001:db8::1]:1"),
      ("[::ffff:127.0.0.1]:1", "::ffff:127.0.0.1", 1, "[::ffff:127.0.0.1]:1"),
    ] as [(String, String, UInt16, String)])
  func reads(text: String, host: String, port: UInt16, description: String) throws {
    let address = try #require(ListenAddress(text))
    #expect(address == ListenAddress(host: host, port: port))
    #expect(address.description == description)
  }

  @Test(
    "is not read from anything else",
    arguments: [
      "", ":", ":80", "nonsense", "nonsense:80", "localhost:80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536",
      "127.0.0.1:-1", "127.0.0.1:+1", "127.0.0.1: 80", "127.0.0.1:80 ", " 127.0.0.1:80", "127.0.0.1:8o",
      "127.0.0.1:٨٠", "127.0.0.1:99999999999999999999", "127.0.0:80", "127.1:80", "256.0.0.1:80", "127.0.0.1:80:80",
      "::1:80", "::1", "[::1]", "[::1]:", "[::1", "[::1:80", "::1]:80", "[127.0.0.1]:80", "[]:80", "[[::1]]:80",
      "[fe80::1%eth0]:80", "fe80::1%eth0:80", "[::1]:65536", "[::g]:80", "127.0.0.1\0:80", "[::1\0x]:80",
    ])
  func refuses(text: String) {
    #expect(ListenAddress(text) == nil)
  }

  @Test("is satisfied by its own address, and by any port when it asks for none")
  func satisfied() {
    let any = ListenAddress(host: "127.0.0.1", port: 0)
    let bound = ListenAddress(host: "127.0.0.1", port: 4711)
    #expect(any.isSatisfied(by: bound))
    #expect(bound.isSatisfied(by: bound))
    #expect(!bound.isSatisfied(by: ListenAddress(host: "127.0.0.1", port: 4712)))
    #expect(!any.isSatisfied(by: ListenAddress(host: "127.0.0.2", port: 4711)))
    #expect(!any.isSatisfied(by: ListenAddress(host: "::1", port: 4711)))
    let long = ListenAddress(host: "0:0:0:0:0:0:0:1", port: 80)
    #expect(long.isSatisfied(by: ListenAddress(host: "::1", port: 80)), "another spelling of it")
  }

  @Test("is listened on, in numbers that the socket gives back", arguments: ["127.0.0.1", "::1"])
  func listens(host: String) throws {
    let listener = try ListenAddress(host: host, port: 0).listen()
    let bound = try ListenAddress(of: listener)
    #expect(bound.host == host)
    #expect(bound.port > 0)
    #expect(ListenAddress(host: host, port: 0).isSatisfied(by: bound))
  }

  @Test("says what is in the way when it is in use, and is free again when the other one is closed")
  func inUse() throws {
    let address: ListenAddress
    do {
      let listener = try ListenAddress(host: "127.0.0.1", port: 0).listen()
      address = try ListenAddress(of: listener)
      let error = #expect(throws: SystemError.self) { _ = try address.listen() }
      #expect(error?.errno == .addressInUse)
      #expect(error?.subject == address.description)
      #expect(error?.advice.contains("another process listens there") == true)
      listener.close()
    }
    _ = try address.listen()
  }

  @Test(
    "says what to do about each refusal",
    arguments: [
      (Errno.permissionDenied, "CAP_NET_BIND_SERVICE"), (.addressNotAvailable, "no interface"),
      (.addressInUse, "choose another port"),
    ])
  func advice(errno: Errno, words: String) {
    var calls = SocketCalls.live
    calls.listenTCP = { _, _ in -errno.rawValue }
    let error = #expect(throws: SystemError.self) {
      _ = try ListenAddress(host: "127.0.0.1", port: 80).listen(calls: calls)
    }
    #expect(error?.errno == errno)
    #expect(error?.description.contains("127.0.0.1:80") == true)
    #expect(error?.description.contains(words) == true)
  }

  @Test("says that names are not resolved")
  func name() {
    let error = #expect(throws: SystemError.self) { _ = try ListenAddress(host: "localhost", port: 0).listen() }
    #expect(error?.description.contains("names are not resolved") == true)
  }

  @Test("is not had of what is no socket of the internet")
  func notASocket() throws {
    let (reader, writer) = try FileDescriptor.pipe()
    defer { try? writer.close() }
    let pipe = OwnedDescriptor(adopting: reader)
    #expect(throws: SystemError.self) { _ = try ListenAddress(of: pipe) }
  }
}

/// Somewhere in the network, and not there yet.
actor Broker {
  struct ConnectionRefused: Error, CustomStringConvertible {
    let description = "connection refused"
  }

  struct WrongPassword: Error {}

  private var attempts = 0

  func connect() throws {
    attempts += 1
    print("consumer: attempt \(attempts)")
    if attempts <= 3 { throw ConnectionRefused() }
  }
}

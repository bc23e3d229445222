import Graceful
public import GracefulDescriptors
import SystemPackage

/// Where the stop endpoint's own server listens.
public struct StopServerAddress: Hashable, Sendable, CustomStringConvertible {
  enum Kind: Hashable, Sendable {
    case ownSocket
    case socket(String)
    case tcp(ListenAddress)
  }

  let kind: Kind

  /// A Unix socket of mode 0600 in a directory of the user's own, named after the program:
  /// `$XDG_RUNTIME_DIR/graceful/PROGRAM-http.sock`, or `/tmp/graceful-UID/PROGRAM-http.sock` where that variable is not
  /// set.
  ///
  /// Of two processes of one program only the first gets it: give each a path of its own.
  public static var ownSocket: Self { Self(kind: .ownSocket) }

  /// A Unix socket of mode 0600 at this path.
  ///
  /// Its directory must be one in which no other user can replace it: this user's or root's, and closed to others' writing,
  /// or sticky. What a process that has ended left there, is replaced; a socket at which a process listens never is, nor
  /// anything that is no socket. `PATH.lock` lies beside it, and stays. A path of more than 107 bytes is an error (unix(7)).
  public static func socket(_ path: String) -> Self { Self(kind: .socket(path)) }

  /// A TCP address; a token is demanded there, on loopback too: any user of the machine can reach that, and any page in a
  /// browser.
  public static func tcp(_ address: ListenAddress) -> Self { Self(kind: .tcp(address)) }

  /// The same, with a host that may be `localhost`, which is 127.0.0.1 here.
  ///
  /// Other names are not resolved: what they mean may change while the program runs. Listening there is an error then.
  public static func tcp(host: String, port: UInt16) -> Self {
    .tcp(ListenAddress(host: host.lowercased() == "localhost" ? "127.0.0.1" : host, port: port))
  }

  /// The path, or the address.
  public var description: String {
    switch kind {
    case .ownSocket: "the program's own socket"
    case .socket(let path): path
    case .tcp(let address): "\(address)"
    }
  }

  var isTCP: Bool { if case .tcp = kind { true } else { false } }

  /// Binds and listens; from here on connections wait to be accepted.
  func listen() throws(StopSocketError) -> StopSocket {
    switch kind {
    case .tcp(let address):
      do {
        return StopSocket(descriptor: SharedDescriptor(try address.listen()), path: nil)
      } catch {
        throw StopSocketError(reason: "\(error)", isTaken: error.errno == .addressInUse)
      }
    case .ownSocket, .socket:
      let claim = try claim()
      do {
        switch try claim.attempt() {
        case .bound(let descriptor, let bound):
          return StopSocket(descriptor: descriptor, path: .init(claim: claim, bound: bound))
        case .connected:
          throw StopSocketError(
            reason: "a process listens at \(claim.path.path) already; stop it, or choose another path", isTaken: true)
        case .later(let reason): throw StopSocketError(reason: reason, isTaken: true)
        }
      } catch let error as StopSocketError {
        throw error
      } catch let error as HandoverError {
        throw StopSocketError(reason: error.reason)
      } catch {
        throw StopSocketError(reason: "\(error)")
      }
    }
  }

  /// Of a Unix socket's path.
  func claim() throws(StopSocketError) -> SocketClaim {
    do {
      return SocketClaim(path: try SocketPath(try path()), calls: .live)
    } catch let error as HandoverError {
      throw StopSocketError(reason: error.reason)
    } catch {
      throw StopSocketError(reason: "\(error)")
    }
  }

  private func path() throws(HandoverError) -> String {
    if case .socket(let path) = kind { return path }
    let name = CommandLine.arguments.first.map { $0.split(separator: "/").last.map(String.init) ?? "" } ?? ""
    return try Handover.Configuration.defaultSocket(program: name.isEmpty ? "program" : name, distinction: "http")
  }
}

/// A socket that listens.
struct StopSocket: Sendable {
  /// What is to be removed in the end, if it is still ours then.
  struct Path: Sendable {
    let claim: SocketClaim
    let bound: BoundPath

    func remove() { claim.remove(bound) }
  }

  let descriptor: SharedDescriptor
  var path: Path?
}

/// An address at which this process cannot listen.
struct StopSocketError: Error, Sendable {
  var reason: String
  /// Whether another process does.
  var isTaken = false
}

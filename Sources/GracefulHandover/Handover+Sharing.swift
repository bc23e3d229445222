internal import GracefulDescriptors
internal import Synchronization

/// What this process shares with others: the listeners that it has offered, or was offered.
///
/// `O_NONBLOCK` and the listening itself belong to the socket and not to a descriptor: a process that was given one can take
/// them away from every other. They are never relied on because they were right before.
extension Handover {
  /// Between two looks while a successor has the listeners and is not known to be sound.
  private static let look = Duration.milliseconds(50)

  /// On the loop's thread.
  func watchOver(_ event: HandoverEvent) {
    switch event.detail {
    case .offering:
      state.withLock { $0.hasMadeOffer = true }
      lookWhileOffering()
    case .successorFailed, .successorGivenUp, .successorKilled, .successorEnded, .predecessorEnded, .owning:
      regain()
      // What had to wait until the handover was over.
      let watch = state.withLock { $0.pathWatch }
      loop.execute { watch?.look() }
    case .committing, .tookOver, .restartJoined, .restartFailed, .peerRefused, .waiting, .unclaimed, .socketMadeAnew,
      .socketLost, .ignored:
      break
    }
  }

  private func lookWhileOffering() {
    guard let driver, driver.isHandingOver, state.withLock({ $0.takenOverBy == nil }) else { return }
    regain()
    _ = loop.schedule(at: .now + Self.look) { [weak self] in self?.lookWhileOffering() }
  }

  /// Has every listener that is offered listen, without blocking.
  ///
  /// A listener that another process has ended (shutdown(2)) listens again at its address where the system has kept that for
  /// it, and else is bound anew by its server, or not at all.
  private func regain() {
    let (offered, addresses) = state.withLock { ($0.offered, $0.listening) }
    let calls = configuration.calls
    for offer in offered {
      let number = offer.descriptor.number
      if offer.label.name == Self.socketName { _ = calls.keepNonblocking(number) }
      guard let address = addresses[offer.label.name] else { continue }
      _ = calls.keepNonblocking(number)
      guard case .success(let kind) = calls.kind(number), !kind.isListening else { continue }
      do throws(SystemError) { try address.listenAgain(number) } catch {
        configuration.onEvent(.ignored("what is offered as \(offer.label.name) does not listen any more: \(error)"))
      }
    }
  }

  /// Where it listens, if it is a TCP listener.
  func listening(_ descriptor: SharedDescriptor) -> ListenAddress? {
    guard case .success(let kind) = configuration.calls.kind(descriptor.number), kind.family == .other, kind.isStream,
      kind.isListening
    else { return nil }
    return try? ListenAddress(of: descriptor.owned)
  }

  /// Whether what was inherited is a TCP listener at this address, and ready to be used.
  ///
  /// Another program, or another version, may have offered anything under its name: a UDP socket, a file, a socket that blocks.
  func canServe(_ inherited: SharedDescriptor, at address: ListenAddress) -> Bool {
    let calls = configuration.calls
    let number = inherited.number
    guard case .success(let kind) = calls.kind(number), kind.family == .other, kind.isStream,
      let bound = try? ListenAddress(of: inherited.owned), bound.port != 0, address.isSatisfied(by: bound)
    else { return false }
    guard kind.isListening || calls.listen(number, ListenAddress.backlog) >= 0 else { return false }
    return calls.keepNonblocking(number) >= 0
  }
}

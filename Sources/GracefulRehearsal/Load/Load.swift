internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// Clients of both modes on an event loop group of their own.
package final class Load: Sendable {
  /// Everything of one mode on one event loop.
  private final class Station: Sendable {
    let mode: LoadMode
    let loop: any EventLoop
    let tally: NIOLoopBoundBox<LoopTally>
    let clients: NIOLoopBoundBox<[LoadClient]>

    init(mode: LoadMode, loop: any EventLoop) {
      self.mode = mode
      self.loop = loop
      self.tally = .makeBoxSendingValue(LoopTally(), eventLoop: loop)
      self.clients = .makeBoxSendingValue([], eventLoop: loop)
    }
  }

  private let group: MultiThreadedEventLoopGroup
  private let stations: [Station]

  /// Starts the clients.
  ///
  /// - Parameters:
  ///   - connections: How many clients of each mode.
  ///   - threads: Two at most are worth their while: the server wants the machine too.
  package init(
    modes: [LoadMode], connections: Int, settings: LoadSettings, observations: LoadObservations, threads: Int = 2
  ) {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: threads)
    self.group = group
    let loops = Array(group.makeIterator())
    // Each mode has threads of its own where there are enough: a client that makes connections is busy for a while, and a
    // keep-alive client that learns of a close late writes into it. That race is the server's to lose, not ours to widen.
    let separate = loops.count >= modes.count
    let homes = modes.enumerated().map { index, mode in
      (mode, separate ? loops.indices.filter { $0 % modes.count == index }.map { loops[$0] } : loops)
    }
    stations = homes.flatMap { mode, loops in loops.map { Station(mode: mode, loop: $0) } }
    for station in stations {
      let mine = stations.filter { $0.mode == station.mode }
      let first = mine.firstIndex { $0 === station } ?? 0
      let numbers = Array(stride(from: first, to: connections, by: mine.count))
      station.loop.execute {
        let clients = numbers.map { number in
          LoadClient(
            name: "\(station.mode.rawValue)-\(number)", mode: station.mode, loop: station.loop, settings: settings,
            tally: station.tally.value, observations: observations, seed: .random(in: 1 ... .max))
        }
        station.clients.value = clients
        clients.forEach { $0.start() }
      }
    }
  }

  /// Lets every request in flight end, closes the connections, and tells what was seen.
  package func end() async -> [LoadMode: LoadTally] {
    // All at once, then one after the other: a client that waits for its answer must not keep others going.
    let endings = stations.map { station in
      station.loop.flatSubmit { () -> EventLoopFuture<LoadTally> in
        let left = station.clients.value.map { client in
          let promise = station.loop.makePromise(of: Void.self)
          client.stop(promise)
          return promise.futureResult
        }
        return EventLoopFuture.andAllComplete(left, on: station.loop).map { station.tally.value.tally }
      }
    }
    var total: [LoadMode: LoadTally] = [:]
    for (station, ending) in zip(stations, endings) {
      if let tally = try? await ending.get() { total[station.mode, default: LoadTally()].add(tally) }
    }
    try? await group.shutdownGracefully()
    return total
  }
}

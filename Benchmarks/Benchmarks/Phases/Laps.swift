/// How long it took until all were open (or started), and from the stop until all had ended.
struct Laps {
  let up: Duration
  let down: Duration
  /// How much more was on the heap when all were open.
  var bytes = 0
}

extension Duration {
  var microseconds: Double {
    let (seconds, attoseconds) = components
    return Double(seconds) * 1e6 + Double(attoseconds) / 1e12
  }
}

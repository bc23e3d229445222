import Benchmark

let benchmarks: @Sendable () -> Void = {
  for live in [0, 1_000, 100_000, 1_000_000] { beginAndEnd(live: live) }
  for live in [0, 1_000, 100_000, 1_000_000] { beginAndEndOnAllCores(live: live) }
  for live in [0, 1_000, 100_000, 1_000_000] { named(live: live) }
  for live in [0, 1_000, 10_000, 100_000] { scoped(live: live) }
  scopedOnAllCores()
  scopedAndNamed()
  cancellable()
  subWork()
  refusal()
  refusalScoped()
  for count in [100_000, 1_000_000] { ending(count) }
  endingScopes(100_000)
  bytes()
  bytesNamed()
  bytesScoped()
}

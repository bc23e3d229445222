/// Repeats a call as long as a signal interrupts it (`EINTR`), which has the same number on Linux and macOS.
package func repeatingInterrupted<Number: BinaryInteger>(_ call: () -> Number) -> Number {
  while true {
    let result = call()
    if result != Number(-4) { return result }
  }
}

/// What a call of CGracefulSystem returns that a signal has interrupted: `-EINTR`, the same number on Linux and macOS.
package let interruptedCall: Int32 = -4

/// Repeats a call as long as a signal interrupts it.
package func repeatingInterrupted<Number: BinaryInteger>(_ call: () -> Number) -> Number {
  while true {
    let result = call()
    if result != Number(interruptedCall) { return result }
  }
}

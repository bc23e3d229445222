import GracefulDescriptors
import NIOCore

extension Channel {
  /// No child process of the program gets it.
  ///
  /// On its event loop. A channel without a descriptor needs nothing.
  func closeOnExec() {
    // Where it is closed already there is nothing to keep.
    _ = try? pipeline.syncOperations.withUnsafeTransportIfAvailable { (number: CInt) in CloseOnExec.set(number) }
  }
}

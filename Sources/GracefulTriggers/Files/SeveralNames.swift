/// Files that were seen with several names (T3): none of them is ever taken for a request, whatever becomes of the other
/// names.
///
/// Another user can have given a file of ours the name of a request, and its owner removes the name of his own some time.
package struct SeveralNames: Hashable, Sendable {
  /// The number of a file that is removed soon belongs to another one, which was born later.
  private struct Known: Hashable {
    var identity: FileStatus.Identity
    var born: Int64
  }

  /// More of them would fill the memory; the oldest goes.
  private static var most: Int { 256 }

  private var known: [Known] = []

  package init() {}

  package func objection(_ status: FileStatus) -> StopFileObjection? {
    known.contains(Known(identity: status.identity, born: status.born)) ? .hardLink : nil
  }

  package mutating func note(_ status: FileStatus) {
    let file = Known(identity: status.identity, born: status.born)
    guard status.links > 1, !known.contains(file) else { return }
    if known.count == Self.most { known.removeFirst() }
    known.append(file)
  }

  /// Nothing is there: where the file system does not say when a file was born, the next one may have its number.
  package mutating func forgetTheUnborn() { known.removeAll { $0.born == 0 } }
}

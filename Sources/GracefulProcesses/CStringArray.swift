/// Arrays of C strings for the time of one call.
struct CStringArray: ~Copyable {
  private let strings: [UnsafeMutableBufferPointer<CChar>]
  private let pointers: UnsafeMutableBufferPointer<UnsafeMutablePointer<CChar>?>

  init(_ texts: [String]) {
    strings = texts.map { text in
      let bytes = text.utf8CString
      let copy = UnsafeMutableBufferPointer<CChar>.allocate(capacity: bytes.count)
      _ = copy.initialize(from: bytes)
      return copy
    }
    pointers = .allocate(capacity: texts.count + 1)
    _ = pointers.initialize(from: strings.map(\.baseAddress) + [nil])
  }

  deinit {
    strings.forEach { $0.deallocate() }
    pointers.deallocate()
  }

  /// Valid while this value lives.
  var base: UnsafePointer<UnsafeMutablePointer<CChar>?>? { UnsafePointer(pointers.baseAddress) }
}

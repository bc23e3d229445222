internal import CGracefulSystem

/// What the system tells about this process.
package enum ThisProcess {
  /// The user that it acts as.
  package static var user: UInt32 { cgs_effective_user() }
  /// Its number.
  package static var number: Int32 { cgs_process_id() }
  /// How many descriptors it may have open (RLIMIT_NOFILE).
  package static var descriptorLimit: Int { Int(clamping: cgs_descriptor_limit()) }
}

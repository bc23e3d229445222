// What a program that imports Graceful writes, is in these.
@_exported public import GracefulDescriptors
@_exported public import GracefulHandover
@_exported public import struct GracefulProcesses.Command
@_exported public import GracefulShutdown
@_exported public import GracefulSystem
@_exported public import GracefulTriggers

// What a program that imports Graceful writes, is in these.
@_exported public import GracefulShutdown
@_exported public import GracefulTriggers

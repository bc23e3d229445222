// The errors of what is in here are its `SystemError`.
@_exported public import GracefulSystem

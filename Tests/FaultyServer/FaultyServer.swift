@main struct FaultyServer {
  static func main() {}
}

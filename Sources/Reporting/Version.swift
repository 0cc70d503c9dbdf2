/// The version of the package, as `--version` and every result give it.
public let packageVersion = "0.1.0"

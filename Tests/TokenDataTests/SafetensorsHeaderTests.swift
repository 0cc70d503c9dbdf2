import Testing

@testable import TokenData

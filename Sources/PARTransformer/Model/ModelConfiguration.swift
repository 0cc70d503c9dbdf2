/// One tensor of a model of some kind.
protocol ModelParameter: Hashable, Sendable {
  associatedtype Configuration
  associatedtype LayerPart

  /// What checkpoints call the tensor.
  var name: String { get }
  /// The scale of a norm, which begins as 1.
  var isScale: Bool { get }
  /// A shift or a bias, which begins as 0.
  var isShift: Bool { get }
  /// Whether weights of the tensor decay in training.
  var decays: Bool { get }
  /// The output head.
  static var output: Self { get }
  /// A parameter of a block, from zero.
  static func layer(_ index: Int, _ part: LayerPart) -> Self
  /// The tensor's shape in a model of the given configuration.
  func shape(in configuration: Configuration) -> [Int]
}

/// The extents of a model of some kind, which tell what tensors it has.
protocol ModelConfiguration: Hashable, Sendable {
  associatedtype Parameter: ModelParameter where Parameter.Configuration == Self

  /// All parameters, in the order of the computation.
  var parameters: [Parameter] { get }
  /// The number of parameters.
  var parameterCount: Int { get }
  /// The width of the residual stream.
  var width: Int { get }
  /// The number of classes, that which stands for none not counted.
  var classes: Int { get }
  /// The label that stands for no class.
  var nullClass: Int { get }

  /// Makes sure that the extents fit one another.
  func validate() throws(PARError)
  /// Refuses a model that does not fit into memory.
  func requireMemory(bytesPerParameter: Double, for purpose: String) throws(PARError)
}

extension PARParameter: ModelParameter {}
extension PARConfiguration: ModelConfiguration {}
extension AnyOrderParameter: ModelParameter {}
extension AnyOrderConfiguration: ModelConfiguration {}

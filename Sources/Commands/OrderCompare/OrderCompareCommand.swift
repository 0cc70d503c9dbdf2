import ArgumentParser
import Reporting
import TokenGrids

/// `order-compare`: what parallel generation costs under several orders.
public struct OrderCompareCommand: ParsableCommand {
  /// The name, the help and the subcommands.
  public static let configuration = CommandConfiguration(
    commandName: "order-compare",
    abstract: "Entropy increase from sequential to parallel generation, for any orders.",
    discussion: """
      EXAMPLES
        order-compare raster distant
            The paper's comparison on the embedded photographs: a table and
            order-compare.png.
        order-compare distant:n=4 distant:n=16 distant:initial=0 halton diagonal
            Any number of orders, each with its own options.
        order-compare raster my-order.txt --tokens codes.h5 --json
            Your order, as a table of step numbers, on your tokens.
        order-compare random:seeds=8,steps=24 --published --steps 24
            The mean of eight random orders, beside published ones in as many steps.
        order-compare show halton:steps=32 --grid 24x24
            The steps of an order, without any tokens.

      The increase of a token is its conditional entropy given the earlier steps
      only, minus that given every token before it. The sum over a step is its
      conditional total correlation: what is lost when its tokens are drawn
      independently.

      \(OrderFamily.help)

      \(exitStatusHelp)
      """,
    version: versionText,
    subcommands: [OrderCompareRun.self, OrderShow.self],
    defaultSubcommand: OrderCompareRun.self)

  /// Makes the command.
  public init() {}
}

import Figures
import Foundation
import GenerationMetrics
import Reporting

extension AnyOrderComparison {
  /// Every proxy against the increase, the increase against what the model loses, and quality against steps.
  package func figures(of result: AnyOrderReport) -> [any Figure] {
    let models = result.models.count == 1 ? "One model" : "\(result.models.count) models"
    let caption =
      "\(models) of \(settings.training.layers) layers of width \(settings.training.width) for all orders, \(settings.samples.grouped) samples in each; bars: standard errors."
      + " Data: \(dataset.name), \(dataset.imageCount.grouped) images, half of them to train on."
    var figures: [any Figure] = []
    let increase = ("total_increase", "total entropy increase [nats]")
    let lost = ("information_lost", "information lost by the model [nats]")
    figures += [
      scatter(
        result, name: "increase-against-lost", x: increase, y: lost, caption: caption,
        summary: "Information lost by the model's own account against the total entropy increase.")
    ].compactMap(\.self)
    for headline in result.headlines() {
      let title =
        headline.key.hasPrefix("excess_")
        ? "excess over one by one of \(Self.title(headline.key.dropFirst("excess_".count)))"
        : headline.key.hasPrefix("forced_")
          ? "teacher-forced excess, \(headline.key.dropFirst("forced_excess_".count))"
          : headline.title
      figures += [
        scatter(
          result, name: "increase-against-\(headline.key.replacing("_", with: "-"))", x: increase,
          y: (headline.key, title),
          caption: caption
            + (result.noiseFloor[headline.key].map { " Real against real: \($0.text)." } ?? ""),
          summary: "\(title) against the total entropy increase.")
      ].compactMap(\.self)
    }
    var measures = [lost, increase]
    for extractor in extractors {
      measures.append(("fd_infinity_\(extractor.name)", "FD∞ \(extractor.name)"))
      measures.append(
        ("excess_fd_infinity_\(extractor.name)", "excess of FD∞ \(extractor.name)"))
    }
    figures += measures.compactMap { measure in
      steps(
        result, name: "steps-against-\(measure.0.replacing("_", with: "-"))", y: measure,
        caption: caption)
    }
    return figures
  }

  private static func title(_ key: Substring) -> String {
    String(key).replacing("fd_infinity_", with: "FD∞ ")
      .replacing("fd_corrected_", with: "FD corrected ")
  }

  /// A point for every order with its errors both ways, those of a family alike.
  private func scatter(
    _ result: AnyOrderReport, name: String, x: (key: String, title: String),
    y: (key: String, title: String), caption: String, summary: String
  ) -> CurveFigure? {
    let curves = families(result).compactMap { family, orders -> CurveFigure.Curve? in
      let points = orders.compactMap { order -> CurveFigure.Point? in
        guard let a = order.value(x.key), let b = order.value(y.key) else { return nil }
        return CurveFigure.Point(a, b, error: order.error(y.key), xError: order.error(x.key))
      }
      return points.isEmpty ? nil : CurveFigure.Curve(family, points, style: .points)
    }
    return curves.isEmpty
      ? nil
      : CurveFigure(
        name: name, summary: summary, curves: curves,
        x: CurveFigure.Axis(x.title, scale: .compressed),
        y: CurveFigure.Axis(y.title, scale: .automatic(beyond: 30)), caption: caption)
  }

  /// A measure against the number of steps, a curve for each family of at least three orders with steps of their own, and points for the others.
  private func steps(
    _ result: AnyOrderReport, name: String, y: (key: String, title: String), caption: String
  ) -> CurveFigure? {
    let curves = families(result).compactMap { family, orders -> CurveFigure.Curve? in
      let points = orders.sorted { $0.steps < $1.steps }.compactMap {
        order -> CurveFigure.Point? in
        order.value(y.key).map {
          CurveFigure.Point(Double(order.steps), $0, error: order.error(y.key))
        }
      }
      // Orders of one number of steps are no curve: a line through them would go up and down.
      let isCurve = points.count >= 3 && Set(points.map(\.x)).count == points.count
      return points.isEmpty
        ? nil : CurveFigure.Curve(family, points, style: isCurve ? .line : .points)
    }
    return curves.isEmpty
      ? nil
      : CurveFigure(
        name: name, summary: "\(y.title) against the number of steps.", curves: curves,
        x: CurveFigure.Axis("steps", scale: .logarithmic),
        y: CurveFigure.Axis(y.title, scale: .automatic(beyond: 30)), caption: caption)
  }

  /// Orders by family, larger families first.
  private func families(
    _ result: AnyOrderReport
  ) -> [(name: String, orders: [AnyOrderReport.Order])] {
    let names = result.orders.map(\.family).removingRepeats
    let groups = names.map { name in (name, result.orders.filter { $0.family == name }) }
    // Sorting keeps what is equal in its order only by that order.
    return groups.enumerated().sorted {
      ($1.element.1.count, $0.offset) < ($0.element.1.count, $1.offset)
    }.map(\.element)
  }
}

import Files
import Foundation

extension Atlas {
  /// The page: one file with everything in it, which asks no network for anything.
  ///
  /// - Complexity: O(N²) for maps of N tokens, some 5.3 bytes for each pair.
  public func page() throws -> String {
    var page = Self.text(PackageResources.atlas_html)
    Self.replace(
      "<!-- policy -->",
      with: """
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; \
        script-src 'unsafe-inline'; style-src 'unsafe-inline'">
        """, in: &page)
    Self.replace(
      #"<link rel="stylesheet" href="atlas.css">"#,
      with: "<style>\n\(Self.text(PackageResources.atlas_css))</style>", in: &page)
    for (name, script) in Self.scripts {
      Self.replace(
        #"<script src="\#(name)"></script>"#, with: "<script>\n\(Self.text(script))</script>",
        in: &page)
    }
    // Last, so that nothing in the data is taken for a place to be filled.
    Self.replace(
      #"<script src="sample.js"></script>"#,
      with: #"<script type="application/json" id="atlas-data">"#
        + (try AtlasData(self).scriptText()) + "</script>", in: &page)
    return page
  }

  /// Writes the page, in place of a file that may be there.
  ///
  /// - Throws: `FileError`; then nothing is left behind.
  public func write(to path: String) throws {
    try OutputFile.write(Data(page().utf8), to: path)
  }

  /// The scripts, by the names that the page has for them.
  static var scripts: [(name: String, contents: [UInt8])] {
    [
      ("payload.js", PackageResources.payload_js), ("colours.js", PackageResources.colours_js),
      ("grid.js", PackageResources.grid_js), ("plot.js", PackageResources.plot_js),
      ("maps.js", PackageResources.maps_js), ("orders.js", PackageResources.orders_js),
      ("atlas.js", PackageResources.atlas_js),
    ]
  }

  private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  /// - Precondition: the page has the place.
  private static func replace(_ place: String, with text: String, in page: inout String) {
    guard let range = page.range(of: place) else {
      preconditionFailure("atlas.html has no \(place)")
    }
    page.replaceSubrange(range, with: text)
  }
}

"use strict";
// Colours: one hue from light to dark, so that grey printers and every kind of colour vision can
// tell them apart. The same ramp as in the figures; darker is stronger dependence or larger loss.

const reds = [
  [253, 232, 223], [251, 203, 184], [248, 166, 142], [238, 124, 101],
  [218, 79, 66], [184, 38, 42], [139, 13, 28], [88, 3, 16],
];

/** The ramp in so many steps that neighbours look alike: mixing a colour for each cell is slow. */
const ramp = Array.from({ length: 513 }, (_, i) => {
  const position = i / 512 * (reds.length - 1);
  const index = Math.min(Math.floor(position), reds.length - 2);
  const mixed = reds[index].map((start, channel) =>
    Math.round(start + (reds[index + 1][channel] - start) * (position - index)));
  return `rgb(${mixed.join(",")})`;
});

/** The colour at a darkness from 0 to 1. */
function red(darkness) { return ramp[Math.round(Math.min(Math.max(darkness, 0), 1) * 512)]; }

/** How many times smaller than the largest the lightest value of a logarithmic scale is. */
const logarithmicSpan = 1000;

/**
 * A scale from `low` to `high`; logarithmic ones begin a thousandth below the top, since
 * information that is nothing has no logarithm.
 */
class ColourScale {
  constructor({ low, high, dark, logarithmic = false, what }) {
    this.logarithmic = logarithmic && high > 0;
    this.high = high;
    this.low = this.logarithmic ? Math.max(low, high / logarithmicSpan) : low;
    this.dark = dark;
    this.what = what;
  }

  fraction(value) {
    if (!(this.high > this.low)) return 0;
    return this.logarithmic
      ? Math.log(Math.max(value, this.low) / this.low) / Math.log(this.high / this.low)
      : (value - this.low) / (this.high - this.low);
  }

  colour(value) {
    const fraction = this.fraction(value);
    return red(this.dark === "low" ? 1 - fraction : fraction);
  }

  /** Draws the scale into an element: a bar, its ends, and what it is a scale of. */
  describe(element, unit) {
    const key = [this.low, this.high, this.dark, this.logarithmic, this.what, unit].join(" ");
    if (element.dataset.key === key) return;
    element.dataset.key = key;
    const bar = document.createElement("span");
    bar.className = "bar";
    const stops = reds.map((_, i) => red(i / (reds.length - 1)));
    if (this.dark === "low") stops.reverse();
    bar.style.background = `linear-gradient(to right, ${stops.join(", ")})`;
    const part = (text, name = "") => {
      const span = document.createElement("span");
      span.className = name;
      span.textContent = text;
      return span;
    };
    const below = this.logarithmic ? "≤ " : "";
    element.replaceChildren(
      part(below + shortText(this.low)), bar, part(`${shortText(this.high)} ${unit}`),
      part(this.what, "what"));
  }
}

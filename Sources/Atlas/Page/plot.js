"use strict";
// Curves over two axes, as SVG.

/** An element of SVG. */
function svgElement(name, attributes = {}, text = null) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== null) element.textContent = text;
  return element;
}

/** Some five round numbers within a range. */
function linearTicks(low, high) {
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((i) => i * power).find((i) => i >= rough) ?? rough;
  const ticks = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i += 1) {
    ticks.push(Number((i * step).toPrecision(6)));
  }
  return ticks;
}

/** Powers of ten within a range, and 2 and 5 times them where there are few. */
function logarithmicTicks(low, high) {
  const ticks = [];
  const few = Math.log10(high / low) < 2.2;
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power += 1) {
    for (const digit of few ? [1, 2, 5] : [1]) {
      const tick = digit * 10 ** power;
      if (tick >= low * 0.999 && tick <= high * 1.001) ticks.push(Number(tick.toPrecision(3)));
    }
  }
  return ticks;
}

/** An axis: where a number stands, and its ticks. */
class Axis {
  constructor({ low, high, logarithmic = false, label }) {
    const isOne = !(high > low);
    this.logarithmic = logarithmic;
    this.low = isOne ? (logarithmic ? low / 2 : low - 1) : low;
    this.high = isOne ? (logarithmic ? low * 2 : low + 1) : high;
    this.label = label;
  }

  get ticks() {
    return this.logarithmic
      ? logarithmicTicks(this.low, this.high) : linearTicks(this.low, this.high);
  }

  fraction(value) {
    return this.logarithmic
      ? Math.log(Math.max(value, this.low) / this.low) / Math.log(this.high / this.low)
      : (value - this.low) / (this.high - this.low);
  }
}

/** The sizes of SVG elements on the page: asking for them at every drawing would be slow. */
const plotSizes = new WeakMap();

/** Calls `draw` when the size of an SVG element changes, and when it is first known. */
function onPlotSize(id, draw) {
  const svg = document.getElementById(id);
  new ResizeObserver(([entry]) => {
    const { width, height } = entry.contentRect;
    plotSizes.set(svg, [Math.max(width, 240), Math.max(height, 160)]);
    draw();
  }).observe(svg);
}

/** A plot that fills an SVG element at the size that it has on the page. */
class Plot {
  /** `keys` are lines above the plot, which `addKey` fills. */
  constructor(svg, x, y, keys = 0) {
    const [width, height] = plotSizes.get(svg) ?? [svg.clientWidth, svg.clientHeight];
    this.svg = svg;
    this.x = x;
    this.y = y;
    this.area = { left: 62, top: 22 + 18 * keys, right: width - 12, bottom: height - 42 };
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.replaceChildren();
    const { left, top, right, bottom } = this.area;
    const number = (value) => (Math.abs(value) >= 10000 ? value.toExponential(0)
      : String(value).replace("-", "−"));
    for (const tick of y.ticks) {
      const place = this.placeY(tick);
      this.add("line", { class: "grid", x1: left, x2: right, y1: place, y2: place });
      this.add("text", { x: left - 6, y: place + 4, "text-anchor": "end" }, number(tick));
    }
    let free = -Infinity;
    for (const tick of x.ticks) {
      const place = this.placeX(tick);
      this.add("line", { class: "axis", x1: place, x2: place, y1: bottom, y2: bottom + 4 });
      if (place < free) continue;
      free = place + 34;
      this.add("text", { x: place, y: bottom + 18, "text-anchor": "middle" }, number(tick));
    }
    this.add("path", { class: "axis", d: `M${left} ${top}V${bottom}H${right}` });
    this.add("text", { x: (left + right) / 2, y: bottom + 36, "text-anchor": "middle" }, x.label);
    this.add("text", { x: 4, y: 12 }, y.label);
  }

  add(name, attributes, text = null) {
    const element = svgElement(name, attributes, text);
    this.svg.append(element);
    return element;
  }

  placeX(value) {
    const { left, right } = this.area;
    return Number((left + (right - left) * this.x.fraction(value)).toFixed(2));
  }

  placeY(value) {
    const { top, bottom } = this.area;
    return Number((bottom - (bottom - top) * this.y.fraction(value)).toFixed(2));
  }

  /** Names a curve, in one of the lines above the plot. */
  addKey(line, name, text) {
    const height = 28 + 18 * line;
    this.add("path", { class: name, d: `M${this.area.left} ${height}h24` });
    this.add("text", { x: this.area.left + 30, y: height + 4 }, text);
  }

  /** A line through points [x, y]; those that are no numbers are left out. */
  curve(points, name) {
    const known = points.filter(([, value]) => Number.isFinite(value));
    if (known.length === 0) return;
    const path = known.map(([a, b]) => `${this.placeX(a)} ${this.placeY(b)}`).join("L");
    this.add("path", { class: name, d: `M${path}` });
  }

  /** Bars of one standard error; points are [x, y, error]. */
  errors(points, name) {
    for (const [at, value, error] of points) {
      if (!Number.isFinite(value) || !(error > 0)) continue;
      this.add("line", {
        class: `error ${name}`, x1: this.placeX(at), x2: this.placeX(at),
        y1: this.placeY(Math.max(value - error, this.y.low)),
        y2: this.placeY(Math.min(value + error, this.y.high)),
      });
    }
  }
}

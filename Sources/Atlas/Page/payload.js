"use strict";
// The data of the page: what they are is written in ../README.md.

/** Numbers packed into bytes; decoded one by one, since a page may hold millions. */
class PackedNumbers {
  constructor(packed) {
    const text = atob(packed.data);
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i += 1) bytes[i] = text.charCodeAt(i);
    this.encoding = packed.encoding;
    this.low = packed.low;
    this.step = packed.step;
    this.codes = packed.encoding === "logarithmic8" ? bytes : new Uint16Array(bytes.buffer);
  }

  get count() { return this.codes.length; }

  /** The number at an index; NaN where there is none. */
  at(index) {
    const code = this.codes[index];
    if (this.encoding === "linear16") return code === 65535 ? NaN : this.low + this.step * code;
    if (this.encoding === "logarithmic8") {
      if (code === 255) return NaN;
      return code === 0 ? 0 : this.low * Math.exp(this.step * (code - 1));
    }
    return code;
  }

  /** The least and the largest number from one index to another, [Infinity, -Infinity] of none. */
  range(from = 0, to = this.count) {
    let low = Infinity;
    let high = -Infinity;
    for (let i = from; i < to; i += 1) {
      const value = this.at(i);
      if (value < low) low = value;
      if (value > high) high = value;
    }
    return [low, high];
  }
}

/** The cells of an image or a video, numbered frame by frame, row by row. */
class Grid {
  constructor([frames, rows, columns]) {
    this.frames = frames;
    this.rows = rows;
    this.columns = columns;
    this.frameCells = rows * columns;
    this.count = frames * rows * columns;
  }

  cell(index) {
    const within = index % this.frameCells;
    return {
      frame: Math.floor(index / this.frameCells),
      row: Math.floor(within / this.columns),
      column: within % this.columns,
    };
  }

  index({ frame, row, column }) {
    return frame * this.frameCells + row * this.columns + column;
  }

  /** `row,column`, or `frame,row,column` of a video: as on the command line. */
  text(index) {
    const { frame, row, column } = this.cell(index);
    return this.frames > 1 ? `${frame},${row},${column}` : `${row},${column}`;
  }

  /** The index of such a text, or null where it names no cell. */
  parse(text) {
    const parts = /^\d+(,\d+){1,2}$/.test(text ?? "") ? text.split(",").map(Number) : [];
    const [frame, row, column] = parts.length === 2 ? [0, ...parts] : parts;
    if (parts.length < 2 || frame >= this.frames) return null;
    if (row >= this.rows || column >= this.columns) return null;
    return this.index({ frame, row, column });
  }

  /** The cell so many rows and columns away, or the same at an edge. */
  moved(index, rows, columns, frames = 0) {
    const cell = this.cell(index);
    const within = (value, count) => Math.min(Math.max(value, 0), count - 1);
    return this.index({
      frame: within(cell.frame + frames, this.frames),
      row: within(cell.row + rows, this.rows),
      column: within(cell.column + columns, this.columns),
    });
  }
}

/** The page's data, with packed numbers opened. */
function readData() {
  const element = document.getElementById("atlas-data");
  const data = element ? JSON.parse(element.textContent) : window.sampleData();
  const open = (object, names) => {
    for (const name of names) object[name] = new PackedNumbers(object[name]);
  };
  data.grid = new Grid(data.grid);
  if (data.maps) {
    open(data.maps, [
      "marginal", "marginalError", "information", "informationError", "entropyError",
    ]);
  }
  for (const order of data.orders) {
    open(order, ["step", "increase", "increaseError"]);
    order.sizes = new Array(order.stepLoss.length).fill(0);
    for (let i = 0; i < order.step.count; i += 1) order.sizes[order.step.at(i) - 1] += 1;
    // What is lost up to each step, from none.
    order.lost = [0];
    for (const loss of order.stepLoss) order.lost.push(order.lost.at(-1) + (loss ?? 0));
    order.costliest = 1 + order.stepLoss.reduce(
      (best, loss, i) => ((loss ?? -Infinity) > (order.stepLoss[best] ?? -Infinity) ? i : best), 0);
  }
  return data;
}

/** A number with its error, both to the second digit of the error. */
function numberText(value, error) {
  if (value === null || !Number.isFinite(value)) return "–";
  const minus = (text) => text.replace("-", "−");
  if (error === null || !(error > 0)) return minus(String(Number(value.toPrecision(4))));
  const decimals = Math.min(Math.max(1 - Math.floor(Math.log10(error)), 0), 10);
  return `${minus(value.toFixed(decimals))} ± ${error.toFixed(decimals)}`;
}

/** A number as short as three digits allow. */
function shortText(value) {
  const text = Math.abs(value) >= 1000 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
  return text.replace("-", "−");
}

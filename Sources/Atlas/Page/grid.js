"use strict";
// A grid of cells on a canvas.

/** Colours of the style sheet, which a canvas does not take from there by itself. */
const pageColours = new Map();

function pageColour(name) {
  if (!pageColours.has(name)) {
    const style = getComputedStyle(document.documentElement);
    pageColours.set(name, style.getPropertyValue(name).trim());
  }
  return pageColours.get(name);
}

/** A canvas that shows one frame of a grid, and says over which cell the pointer is. */
class GridCanvas {
  /**
   * `draw(canvas)` is called when the size changed; pointer events call `onHover(index, event)`,
   * with null when the pointer leaves, and `onPress(index, event)`.
   */
  constructor(element, grid, { draw, onHover, onPress }) {
    this.element = element;
    this.grid = grid;
    this.frame = 0;
    element.style.aspectRatio = `${grid.columns} / ${grid.rows}`;
    new ResizeObserver(() => { if (this.fit()) draw(); }).observe(element);
    this.fit();
    if (onHover) {
      element.addEventListener("pointermove", (event) => onHover(this.cellAt(event), event));
      element.addEventListener("pointerleave", (event) => onHover(null, event));
    }
    if (onPress) element.addEventListener("click", (event) => onPress(this.cellAt(event), event));
  }

  /** Takes the size in pixels of the screen; says whether it changed. */
  fit() {
    const ratio = window.devicePixelRatio || 1;
    const width = Math.max(Math.round(this.element.clientWidth * ratio), this.grid.columns);
    const height = Math.max(Math.round(this.element.clientHeight * ratio), this.grid.rows);
    if (this.element.width === width && this.element.height === height) return false;
    this.element.width = width;
    this.element.height = height;
    return true;
  }

  /** The index of the cell under a pointer. */
  cellAt(event) {
    const box = this.element.getBoundingClientRect();
    const place = (at, start, size, count) =>
      Math.min(Math.max(Math.floor((at - start) / size * count), 0), count - 1);
    return this.grid.index({
      frame: this.frame,
      row: place(event.clientY, box.top, box.height, this.grid.rows),
      column: place(event.clientX, box.left, box.width, this.grid.columns),
    });
  }

  /** Draws a frame; `colour(index)` gives a colour, or null for the colour of empty cells. */
  fill(frame, colour) {
    this.frame = frame;
    const context = this.element.getContext("2d");
    context.fillStyle = pageColour("--empty");
    context.fillRect(0, 0, this.element.width, this.element.height);
    const first = frame * this.grid.frameCells;
    for (let i = first; i < first + this.grid.frameCells; i += 1) {
      const own = colour(i);
      if (own === null) continue;
      context.fillStyle = own;
      context.fillRect(...this.box(i));
    }
  }

  /** Left, top, width and height of a cell, in whole pixels without gaps. */
  box(index) {
    const { row, column } = this.grid.cell(index);
    const edge = (i, count, size) => Math.round(i * size / count);
    const [left, right] = [0, 1].map(
      (i) => edge(column + i, this.grid.columns, this.element.width));
    const [top, bottom] = [0, 1].map((i) => edge(row + i, this.grid.rows, this.element.height));
    return [left, top, right - left, bottom - top];
  }

  /** Fills one cell, where it is of the frame that is shown. */
  mark(index, colour) {
    if (this.grid.cell(index).frame !== this.frame) return;
    const context = this.element.getContext("2d");
    context.fillStyle = colour;
    context.fillRect(...this.box(index));
  }

  /** Outlines a cell, dark within light, so that it is seen on every colour. */
  outline(index, colour = "#0b3d91") {
    if (this.grid.cell(index).frame !== this.frame) return;
    const context = this.element.getContext("2d");
    const [left, top, width, height] = this.box(index);
    const thick = Math.max(Math.round(Math.min(width, height) / 8), 1);
    context.lineWidth = thick;
    context.strokeStyle = "#ffffff";
    context.strokeRect(
      left + thick * 1.5, top + thick * 1.5, width - 3 * thick, height - 3 * thick);
    context.strokeStyle = colour;
    context.strokeRect(left + thick / 2, top + thick / 2, width - thick, height - thick);
  }
}

/** The cell that an arrow key leads to, or null for another key. */
function walked(grid, index, key) {
  const moves = {
    ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1],
    Home: [0, -grid.columns], End: [0, grid.columns],
    PageUp: [0, 0, -1], PageDown: [0, 0, 1],
  };
  if (!Object.hasOwn(moves, key)) return null;
  return grid.moved(index, ...moves[key]);
}

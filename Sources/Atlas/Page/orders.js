"use strict";
// Two orders step by step, what they lose, and the losses of all orders of the run.

class OrdersView {
  /** `update(changes)` changes the state of the page and draws it. */
  constructor(data, state, update) {
    Object.assign(this, { data, state, update });
    this.timer = null;
    document.getElementById("orders").hidden = false;
    this.sides = ["a", "b"].map((side) => this.makeSide(side));
    this.play = document.getElementById("play");
    this.play.addEventListener("click", () => this.toggle());
    this.slider = document.getElementById("step");
    this.slider.addEventListener("input", () => {
      this.stop();
      update({ step: Number(this.slider.value) });
    });
    this.speed = document.getElementById("speed");
    this.speed.addEventListener("change", () => { if (this.timer !== null) this.start(); });
    onPlotSize("losses", () => this.drawLosses());
    onPlotSize("totals", () => this.drawTotals());
    this.images = data.images ? new Thumbnails(data, state, update) : null;
  }

  makeSide(side) {
    const root = document.getElementById(`order-${side}`);
    const select = root.querySelector("select");
    this.data.orders.forEach((order, i) => {
      const option = document.createElement("option");
      option.value = i;
      option.textContent = order.name;
      select.append(option);
    });
    select.addEventListener("change", () => this.update({ [side]: Number(select.value) }));
    const read = (cell) => this.read(side, cell);
    const canvas = new GridCanvas(root.querySelector("canvas"), this.data.grid, {
      draw: () => this.draw(), onHover: read, onPress: read,
    });
    canvas.element.addEventListener("keydown", (event) => this.key(event));
    const button = root.querySelector(".costliest");
    button.addEventListener("click", () => {
      this.stop();
      this.update({ step: this.order(side).costliest });
    });
    return { side, root, select, canvas, button };
  }

  order(side) { return this.data.orders[this.state[side]]; }

  get last() { return Math.max(...["a", "b"].map((side) => this.order(side).sizes.length)); }

  // MARK: what the user does

  key(event) {
    const moves = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
    if (!Object.hasOwn(moves, event.key)) return;
    this.stop();
    const step = Math.min(Math.max(this.state.step + moves[event.key], 0), this.last);
    this.update({ step });
    announce(this.sides.map(({ root }) => root.querySelector("p").textContent).join(" "));
    event.preventDefault();
    event.stopPropagation();
  }

  toggle() { if (this.timer === null) this.start(); else this.stop(); }

  start() {
    this.stop();
    if (this.state.step >= this.last) this.update({ step: 0 });
    this.timer = setInterval(() => {
      if (this.state.step >= this.last) this.stop();
      else this.update({ step: this.state.step + 1 });
    }, 1000 / Number(this.speed.value));
    this.showPlaying(true);
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
    this.showPlaying(false);
  }

  showPlaying(isPlaying) {
    this.play.textContent = isPlaying ? "Stop" : "Play";
    this.play.setAttribute("aria-pressed", String(isPlaying));
  }

  /** Says what one cell of an order is. */
  read(side, cell) {
    const place = document.getElementById(`order-${side}`).querySelector(".read");
    if (cell === null) {
      place.textContent = "";
      return;
    }
    const order = this.order(side);
    const [value, error] = [order.increase.at(cell), order.increaseError.at(cell)];
    place.textContent = `Cell ${this.data.grid.text(cell)}: step ${order.step.at(cell)}, increase `
      + `${numberText(value, error)} ${this.data.unit}`;
    place.dataset.value = value;
    place.dataset.error = error;
  }

  // MARK: drawing

  /** The scale of an order's increases. */
  scaleOf(order) {
    const each = this.state.scale === "each";
    const orders = each ? [order] : ["a", "b"].map((side) => this.order(side));
    const high = Math.max(...orders.map((one) => one.increase.range()[1]), 0);
    const logarithmic = this.state.scale === "log";
    return new ColourScale({
      low: 0, high: high > 0 ? high : 1, dark: "high", logarithmic,
      what: `increase of a token, ${logarithmic ? "logarithmic" : "linear"}, of `
        + `${each ? "each order: this is the first order's" : "both orders"}; darker: more is lost`,
    });
  }

  /** Draws what depends on the named parts of the state, or everything. */
  draw(changed = null) {
    const { data: { grid, unit }, state } = this;
    if (state.step > this.last) state.step = this.last;
    const { step, frame } = state;
    this.slider.max = this.last;
    this.slider.value = step;
    document.getElementById("step-text").textContent = `${step} of ${this.last}`;
    for (const { side, root, select, canvas, button } of this.sides) {
      const order = this.order(side);
      const scale = this.scaleOf(order);
      if (side === "a") scale.describe(document.getElementById("increase-legend"), unit);
      select.value = state[side];
      canvas.element.setAttribute("aria-label", `Generation steps of ${order.name}`);
      canvas.fill(frame, (i) => {
        if (order.step.at(i) > step) return null;
        const value = order.increase.at(i);
        return Number.isNaN(value) ? "#ffffff" : scale.colour(value);
      });
      for (let i = 0; i < grid.count; i += 1) {
        if (order.step.at(i) === step) canvas.outline(i);
      }
      root.querySelector("p").textContent = this.stepText(order, step);
      root.dataset.lost = order.lost[Math.min(step, order.sizes.length)];
      button.textContent = `Costliest step: ${order.costliest}`;
    }
    this.drawLosses();
    if (changed === null || changed.includes("a") || changed.includes("b")) this.drawTotals();
    this.images?.draw();
  }

  stepText(order, step) {
    const { unit } = this.data;
    const count = order.sizes.length;
    const lost = order.lost[Math.min(step, count)];
    if (step === 0) return `Nothing is generated yet, of ${count} steps.`;
    if (step > count) return `Complete after ${count} steps: ${shortText(lost)} ${unit} lost.`;
    const size = order.sizes[step - 1];
    const own = numberText(order.stepLoss[step - 1], order.stepLossError[step - 1]);
    return `Step ${step} of ${count}: ${size} ${size === 1 ? "cell" : "cells"}, `
      + `${own} ${unit} lost; so far ${shortText(lost)}.`;
  }

  drawLosses() {
    const { state: { step }, data: { unit } } = this;
    const orders = ["a", "b"].map((side) => this.order(side));
    const all = orders.flatMap((order) => order.lost);
    const logarithmic = this.state.scale === "log" && Math.max(...all) > 0;
    const high = Math.max(...all);
    const y = new Axis({
      low: logarithmic ? high / 10000 : Math.min(...all), high, logarithmic,
      label: `information lost [${unit}]`,
    });
    const x = new Axis({ low: 0, high: this.last, label: "steps" });
    const plot = new Plot(document.getElementById("losses"), x, y, 2);
    plot.add("line", {
      class: "now", x1: plot.placeX(step), x2: plot.placeX(step), y1: plot.area.top,
      y2: plot.area.bottom,
    });
    orders.forEach((order, i) => {
      const name = ["first", "second"][i];
      const points = order.lost.map((value, at) => [at, value]);
      plot.curve(points, `${name} faint`);
      plot.curve(points.slice(0, step + 1), name);
      const shown = order.name.length > 40 ? `${order.name.slice(0, 39)}…` : order.name;
      plot.addKey(i, name, shown);
    });
  }

  /** Orders of one sequence, by their number of steps; those of optimal sizes are a curve apart. */
  get curves() {
    const curves = new Map();
    this.data.orders.forEach((order, index) => {
      if (order.total === null) return;
      const key = JSON.stringify([order.curve, order.isOptimal]);
      if (!curves.has(key)) curves.set(key, []);
      curves.get(key).push({ order, index });
    });
    return [...curves.values()].map((orders) =>
      orders.sort((one, other) => one.order.sizes.length - other.order.sizes.length));
  }

  drawTotals() {
    const svg = document.getElementById("totals");
    const known = this.data.orders.filter((order) => order.total !== null);
    if (known.length === 0) return;
    const totals = known.map((order) => order.total);
    const positive = totals.filter((total) => total > 0);
    const [least, most] = [Math.min(...positive), Math.max(...totals)];
    const logarithmic = positive.length > 0 && most / least > 10;
    const y = new Axis({
      low: logarithmic ? least / 1.5 : Math.min(0, ...totals), logarithmic,
      high: logarithmic ? most * 1.5 : most, label: `total increase [${this.data.unit}]`,
    });
    const steps = known.map((order) => order.sizes.length);
    const wide = Math.max(...steps) / Math.min(...steps) > 5;
    const x = new Axis({
      low: wide ? Math.min(...steps) / 1.2 : Math.min(...steps) - 1, logarithmic: wide,
      high: wide ? Math.max(...steps) * 1.2 : Math.max(...steps) + 1, label: "steps",
    });
    const focused = document.activeElement?.closest?.("#totals [data-order]")?.dataset.order;
    const plot = new Plot(svg, x, y);
    for (const curve of this.curves) {
      const points = curve.map(({ order }) => [order.sizes.length, order.total, order.totalError]);
      plot.curve(points, "other");
      plot.errors(points, "other");
    }
    for (const { order, index } of this.curves.flat()) this.addMark(plot, order, index);
    if (focused !== undefined) svg.querySelector(`[data-order="${focused}"]`)?.focus();
  }

  addMark(plot, order, index) {
    const name = index === this.state.a ? "first" : index === this.state.b ? "second" : "other";
    const [at, height] = [plot.placeX(order.sizes.length), plot.placeY(order.total)];
    const text = `${order.name}: ${order.sizes.length} steps, `
      + `${numberText(order.total, order.totalError)} ${this.data.unit}`
      + (order.isOptimal ? ", sizes chosen to lose least" : "");
    const shape = order.isOptimal
      ? ["rect", { x: at - 6, y: height - 6, width: 12, height: 12 }]
      : ["circle", { cx: at, cy: height, r: 6 }];
    const mark = plot.add(shape[0], {
      ...shape[1], class: `mark ${name}`, tabindex: 0, role: "button", "aria-label": text,
      "data-order": index,
    });
    const show = () => { document.getElementById("totals-text").textContent = text; };
    mark.addEventListener("pointerenter", show);
    mark.addEventListener("focus", show);
    mark.addEventListener("click", () => this.update({ a: index }));
    mark.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      event.stopPropagation();
      this.update({ a: index });
    });
  }
}

/** Decoded images; the cells that a step has not reached are veiled, its own outlined. */
class Thumbnails {
  constructor(data, state, update) {
    Object.assign(this, { data, state });
    const root = document.getElementById("images");
    root.hidden = false;
    document.getElementById("images-text").textContent = data.images.text;
    for (const input of root.querySelectorAll("input")) {
      input.addEventListener("change", () => update({ mask: input.value }));
    }
    const place = root.querySelector(".thumbnails");
    this.canvases = data.images.files.map((file) => {
      const element = document.createElement("canvas");
      place.append(element);
      const canvas = new GridCanvas(element, data.grid, { draw: () => this.draw() });
      const image = new Image();
      image.addEventListener("load", () => this.draw());
      image.src = file;
      return { canvas, image };
    });
  }

  draw() {
    const { data, state } = this;
    for (const input of document.querySelectorAll("#images input")) {
      input.checked = input.value === state.mask;
    }
    const order = data.orders[state[state.mask]];
    const veil = pageColour("--empty");
    for (const { canvas, image } of this.canvases) {
      if (!image.complete) continue;
      const context = canvas.element.getContext("2d");
      context.drawImage(image, 0, 0, canvas.element.width, canvas.element.height);
      for (let i = 0; i < data.grid.count; i += 1) {
        const step = order.step.at(i);
        if (step > state.step) canvas.mark(i, veil);
        else if (step === state.step) canvas.outline(i);
      }
    }
  }
}

"use strict";
// The maps of one reference token, and of a pinned one.

/** Mean information and entropy over the tokens of one frame at each distance, as the table has. */
function profile(data, reference) {
  const { grid, maps } = data;
  const start = grid.cell(reference);
  const groups = new Map();
  const first = start.frame * grid.frameCells;
  for (let i = first; i < first + grid.frameCells; i += 1) {
    const at = reference * grid.count + i;
    const information = maps.information.at(at);
    if (Number.isNaN(information)) continue;
    const cell = grid.cell(i);
    const distance = Math.round(Math.hypot(cell.row - start.row, cell.column - start.column));
    if (!groups.has(distance)) groups.set(distance, new Float64Array(5));
    const sums = groups.get(distance);
    sums[0] += 1;
    sums[1] += information;
    sums[2] += maps.informationError.at(at);
    sums[3] += maps.marginal.at(i) - information;
    sums[4] += maps.entropyError.at(at);
  }
  return [...groups].sort((a, b) => a[0] - b[0]).map(([distance, sums]) => ({
    distance,
    information: [sums[1] / sums[0], sums[2] / sums[0]],
    entropy: [sums[3] / sums[0], sums[4] / sums[0]],
  }));
}

class MapsView {
  /** `update(changes)` changes the state of the page and draws it. */
  constructor(data, state, update) {
    Object.assign(this, { data, state, update });
    this.scales = new Map();
    document.getElementById("maps").hidden = false;
    const draw = () => this.draw();
    const reading = {
      draw, onHover: (cell) => this.hover(cell), onPress: (cell) => update({ ref: cell }),
    };
    this.picker = this.canvas("picker", {
      draw,
      onHover: (cell, event) => {
        if (cell !== null && event.pointerType !== "touch") this.choose(cell);
      },
      onPress: (cell, event) => {
        const isSecondTap = event.pointerType !== "touch" || cell === state.ref;
        update(isSecondTap ? { ref: cell, pin: state.pin === cell ? null : cell } : { ref: cell });
      },
    });
    this.information = this.canvas("information", reading);
    this.entropy = this.canvas("entropy", reading);
    this.pinnedInformation = this.canvas("pinned-information", { ...reading, onPress: null });
    this.pinnedEntropy = this.canvas("pinned-entropy", { ...reading, onPress: null });
    document.getElementById("unpin").addEventListener("click", () => {
      update({ pin: null });
      this.picker.element.focus();
    });
    this.picker.element.addEventListener("keydown", (event) => this.pickerKey(event));
    for (const { element } of [this.information, this.entropy]) {
      element.addEventListener("keydown", (event) => this.readingKey(event));
    }
    for (const id of ["information-profile", "entropy-profile"]) {
      onPlotSize(id, () => this.drawProfiles());
    }
  }

  canvas(id, handlers) {
    return new GridCanvas(document.getElementById(id), this.data.grid, handlers);
  }

  // MARK: what the user does

  choose(cell) {
    if (cell !== this.state.ref) this.update({ ref: cell });
  }

  hover(cell) {
    if (cell !== this.state.cell) this.update({ cell });
  }

  /** Keys of the map of references; says whether the key was one of them. */
  pickerKey(event) {
    const { grid } = this.data;
    const next = walked(grid, this.state.ref, event.key);
    if (next !== null) {
      this.update({ ref: next, frame: grid.cell(next).frame });
      announce(`reference ${grid.text(next)}`);
    } else if (event.key === "Enter") {
      this.update({ pin: this.state.pin === this.state.ref ? null : this.state.ref });
      announce(this.state.pin === null ? "unpinned" : `pinned ${grid.text(this.state.pin)}`);
    } else if (event.key === "Escape" && this.state.pin !== null) {
      this.update({ pin: null });
      announce("unpinned");
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  readingKey(event) {
    const { grid } = this.data;
    const { ref, cell } = this.state;
    const next = walked(grid, cell ?? ref, event.key);
    if (next !== null) {
      this.update({ cell: next, frame: grid.cell(next).frame });
      const [information, entropy] = this.read(ref, next);
      announce(`${grid.text(next)}: information ${numberText(...information)}, `
        + `conditional entropy ${numberText(...entropy)}`);
    } else if (event.key === "Enter" && cell !== null) {
      this.update({ ref: cell });
      announce(`reference ${grid.text(cell)}`);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  // MARK: numbers

  /** Information, conditional and marginal entropy of a token given a reference, with errors. */
  read(reference, cell) {
    const { maps, grid } = this.data;
    const at = reference * grid.count + cell;
    const information = maps.information.at(at);
    const marginal = maps.marginal.at(cell);
    return [
      [information, maps.informationError.at(at)],
      [marginal - information, maps.entropyError.at(at)],
      [marginal, maps.marginalError.at(cell)],
    ];
  }

  /** The least and largest information and conditional entropy, of one reference or of all. */
  ranges(reference) {
    const key = reference ?? "all";
    if (this.scales.has(key)) return this.scales.get(key);
    const { maps, grid } = this.data;
    const ranges = { information: [Infinity, -Infinity], entropy: [Infinity, -Infinity] };
    const take = (range, value) => {
      if (value < range[0]) range[0] = value;
      if (value > range[1]) range[1] = value;
    };
    const marginal = Array.from({ length: grid.count }, (_, i) => maps.marginal.at(i));
    const [from, to] = reference === null ? [0, grid.count] : [reference, reference + 1];
    for (let j = from; j < to; j += 1) {
      for (let i = 0; i < grid.count; i += 1) {
        const information = maps.information.at(j * grid.count + i);
        if (Number.isNaN(information)) continue;
        take(ranges.information, information);
        take(ranges.entropy, marginal[i] - information);
      }
    }
    if (this.scales.size > 64) this.scales.clear();
    this.scales.set(key, ranges);
    return ranges;
  }

  /** The scales of the information and of the entropy of a reference. */
  scalesOf(reference) {
    const kind = this.state.scale;
    const ranges = this.ranges(kind === "each" ? reference : null);
    const whose = kind === "each" ? "this map" : "all references";
    const logarithmic = kind === "log";
    return {
      information: new ColourScale({
        low: Math.min(ranges.information[0], 0), high: ranges.information[1], dark: "high",
        logarithmic,
        what: `${logarithmic ? "logarithmic" : "linear"}, of ${whose}; darker: more dependence`,
      }),
      entropy: new ColourScale({
        low: ranges.entropy[0], high: ranges.entropy[1], dark: "low",
        what: `linear, of ${whose}; darker: lower entropy`,
      }),
    };
  }

  // MARK: drawing

  /** Draws what depends on the named parts of the state, or everything. */
  draw(changed = null) {
    const { data: { grid, maps, unit }, state: { ref, pin, cell, frame } } = this;
    const [low, high] = maps.marginal.range();
    const marginal = new ColourScale({
      low, high, dark: "low", what: "linear; darker: lower entropy",
    });
    this.picker.fill(frame, (i) => marginal.colour(maps.marginal.at(i)));
    marginal.describe(document.getElementById("picker-legend"), unit);
    if (pin !== null) this.picker.outline(pin, "#000000");
    this.picker.mark(ref, "#1452a3");
    const scales = this.scalesOf(ref);
    this.drawMap(this.information, this.entropy, ref, scales);
    scales.information.describe(document.getElementById("information-legend"), unit);
    scales.entropy.describe(document.getElementById("entropy-legend"), unit);
    document.getElementById("pinned").hidden = pin === null;
    for (const element of document.querySelectorAll(".pinned-key")) element.hidden = pin === null;
    if (pin !== null) {
      this.pinnedInformation.fit();
      this.pinnedEntropy.fit();
      this.drawMap(this.pinnedInformation, this.pinnedEntropy, pin, this.scalesOf(pin));
      document.getElementById("pinned-title").textContent = `Pinned reference token: ${grid.text(pin)}`;
    }
    document.getElementById("reference-text").textContent =
      `Reference token: ${grid.text(ref)}`
      + (pin === null ? "" : `, compared with ${grid.text(pin)}, which is pinned`);
    document.getElementById("cell-text").textContent = cell === null
      ? "Move over a map to read the values of a cell."
      : `Values of cell ${grid.text(cell)}, in ${unit}:`;
    this.writeValues("values-current", ref);
    this.writeValues("values-pinned", pin);
    if (changed === null || changed.includes("ref") || changed.includes("pin")) {
      this.drawProfiles();
    }
  }

  drawMap(information, entropy, reference, scales) {
    const { data: { grid, maps }, state: { frame, cell } } = this;
    const at = (i) => maps.information.at(reference * grid.count + i);
    information.fill(frame, (i) => (i === reference || Number.isNaN(at(i))
      ? null : scales.information.colour(at(i))));
    entropy.fill(frame, (i) => (i === reference || Number.isNaN(at(i))
      ? null : scales.entropy.colour(maps.marginal.at(i) - at(i))));
    for (const canvas of [information, entropy]) {
      canvas.mark(reference, "#1452a3");
      if (cell !== null) canvas.outline(cell);
    }
  }

  /** A row of the table of values; the numbers themselves, undecorated, are in its data. */
  writeValues(id, reference) {
    const row = document.getElementById(id);
    const { grid } = this.data;
    const { cell } = this.state;
    row.hidden = reference === null;
    if (reference === null) return;
    row.children[0].textContent = grid.text(reference);
    const values = cell === null ? [[NaN], [NaN], [NaN]] : this.read(reference, cell);
    values.forEach(([value, error], i) => {
      const place = row.children[i + 1];
      const isReference = cell === reference && i < 2;
      place.textContent = isReference ? "the reference itself" : numberText(value, error ?? null);
      place.dataset.value = Number.isFinite(value) ? value : "";
      place.dataset.error = Number.isFinite(error) ? error : "";
    });
  }

  drawProfiles() {
    const { state: { ref, pin }, data: { unit } } = this;
    const curves = [[profile(this.data, ref), "first"]];
    if (pin !== null && pin !== ref) curves.push([profile(this.data, pin), "second"]);
    const points = curves.flatMap(([curve]) => curve);
    if (points.length === 0) return;
    const x = new Axis({
      low: 0, high: Math.max(...points.map((point) => point.distance)),
      label: "distance to the reference [cells]",
    });
    const quantities = { information: "mutual information", entropy: "conditional entropy" };
    for (const [quantity, label] of Object.entries(quantities)) {
      const values = points.map((point) => point[quantity]);
      const high = Math.max(...values.map(([value, error]) => value + error));
      const low = Math.min(...values.map(([value, error]) => value - error));
      const y = new Axis({
        low: quantity === "information" ? Math.min(0, low) : low, high, label: `${label} [${unit}]`,
      });
      const plot = new Plot(document.getElementById(`${quantity}-profile`), x, y);
      for (const [curve, name] of curves) {
        const own = curve.map((point) => [point.distance, ...point[quantity]]);
        plot.errors(own, name);
        plot.curve(own, name);
      }
    }
  }
}

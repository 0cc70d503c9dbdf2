"use strict";
// The state of the page, which stands in the address behind #, so that a view can be linked.

/** Says something to a screen reader. */
function announce(text) { document.getElementById("announcement").textContent = text; }

function startAtlas() {
  const data = readData();
  const { grid, orders } = data;
  const centre = grid.index({
    frame: 0, row: Math.floor(grid.rows / 2), column: Math.floor(grid.columns / 2),
  });
  const initial = {
    ref: data.reference ?? centre, cell: null, pin: null, a: 0, b: Math.min(1, orders.length - 1),
    step: 0, scale: "shared", frame: 0, mask: "a",
  };
  const state = { ...initial };
  const views = [];

  // MARK: the address

  const order = (name) => {
    const index = orders.findIndex((one) => one.name === name);
    return index < 0 ? undefined : index;
  };
  const oneOf = (...texts) => (text) => (texts.includes(text) ? text : undefined);
  const cell = (text) => grid.parse(text) ?? undefined;
  const whole = (most) => (text) =>
    (/^\d{1,6}$/.test(text) ? Math.min(Number(text), most) : undefined);
  // The name in the address, the name in the state, and how a text becomes a value and back.
  const fields = [
    ["ref", "ref", cell, (value) => grid.text(value)],
    ["cell", "cell", cell, (value) => grid.text(value)],
    ["pin", "pin", cell, (value) => grid.text(value)],
    ["order", "a", order, (value) => orders[value].name],
    ["with", "b", order, (value) => orders[value].name],
    ["step", "step", whole(grid.count), String],
    ["scale", "scale", oneOf("shared", "each", "log"), String],
    ["frame", "frame", whole(grid.frames - 1), String],
    ["mask", "mask", oneOf("a", "b"), String],
  ];

  function readAddress() {
    const parameters = new URLSearchParams(location.hash.slice(1));
    Object.assign(state, initial);
    for (const [name, key, parse] of fields) {
      const value = parameters.has(name) ? parse(parameters.get(name)) : undefined;
      if (value !== undefined) state[key] = value;
    }
  }

  function address() {
    const parts = fields.filter(([, key]) => state[key] !== initial[key] && state[key] !== null)
      .map(([name, key, , text]) =>
        `${name}=${encodeURIComponent(text(state[key])).replaceAll("%2C", ",")}`);
    return `#${parts.join("&")}`;
  }

  // Browsers refuse more than a few changes of the address a second.
  let pending = null;
  function writeAddress() {
    clearTimeout(pending);
    pending = setTimeout(() => {
      if (address() !== location.hash) history.replaceState(null, "", address());
    }, 150);
  }

  // MARK: drawing

  const scale = document.getElementById("scale");
  const frame = document.getElementById("frame");

  function draw(changed = null) {
    scale.value = state.scale;
    frame.value = state.frame;
    document.getElementById("frame-text").textContent = `${state.frame} of ${grid.frames}`;
    const touches = (keys) => changed === null || changed.some((key) => keys.includes(key));
    for (const { view, keys } of views) if (touches(keys)) view.draw(changed);
  }

  function update(changes) {
    Object.assign(state, changes);
    draw(Object.keys(changes));
    writeAddress();
  }

  // MARK: start

  document.title = `Atlas of ${data.data}`;
  document.getElementById("facts").textContent = data.facts;
  document.getElementById("provenance").textContent = data.provenance.join("\n");
  document.getElementById("frame-control").hidden = grid.frames === 1;
  frame.max = grid.frames - 1;
  readAddress();
  const shared = ["scale", "frame"];
  if (data.maps) {
    views.push({
      view: new MapsView(data, state, update), keys: [...shared, "ref", "cell", "pin"],
    });
  }
  if (orders.length > 0) {
    views.push({
      view: new OrdersView(data, state, update), keys: [...shared, "a", "b", "step", "mask"],
    });
  }
  scale.addEventListener("change", () => update({ scale: scale.value }));
  frame.addEventListener("input", () => update({ frame: Number(frame.value) }));
  window.addEventListener("hashchange", () => { readAddress(); draw(); });
  for (const query of ["(prefers-color-scheme: dark)", "print"]) {
    window.matchMedia(query).addEventListener("change", () => {
      pageColours.clear();
      draw();
    });
  }
  // Keys that no control takes for itself.
  window.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target.closest?.("button, select, input, [role=button], pre, a");
    const maps = views.find(({ view }) => view instanceof MapsView)?.view;
    const player = views.find(({ view }) => view instanceof OrdersView)?.view;
    if (target) return;
    if (event.key === " " && player) {
      event.preventDefault();
      player.toggle();
    } else if (event.target === document.body && maps && event.key.startsWith("Arrow")) {
      maps.pickerKey(event);
    }
  });
  draw();
  document.documentElement.dataset.ready = "yes";
}

startAtlas();

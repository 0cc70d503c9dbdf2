"use strict";
// Made-up data, so that atlas.html can be opened as it is while its looks are worked on;
// atlas.html?video has five frames. Pages that the program writes have measured data instead.

window.sampleData = function sampleData() {
  const isVideo = new URLSearchParams(location.search).has("video");
  const [frames, rows, columns] = isVideo ? [5, 8, 8] : [1, 16, 16];
  const count = frames * rows * columns;
  const place = (i) =>
    [Math.floor(i / rows / columns) * 2, Math.floor(i / columns) % rows, i % columns];
  const pack = (encoding, low, step, bytes) => {
    let text = "";
    for (const byte of bytes) text += String.fromCharCode(byte);
    return { encoding, low, step, data: btoa(text) };
  };
  const wide = (codes) => new Uint8Array(Uint16Array.from(codes).buffer);
  const linear = (values, low, high) => {
    const step = (high - low) / 65534;
    return pack("linear16", low, step, wide(values.map(
      (value) => (Number.isNaN(value) ? 65535 : Math.round((value - low) / step)))));
  };
  const errors = (length, low) => pack("logarithmic8", low, 0.01,
    Uint8Array.from({ length }, (_, i) => 1 + (i * 7) % 40));
  const information = [];
  for (let j = 0; j < count; j += 1) {
    for (let i = 0; i < count; i += 1) {
      const [a, b] = [place(i), place(j)];
      const distance = Math.hypot(...a.map((value, k) => value - b[k]));
      information.push(i === j ? NaN : 1.6 * Math.exp(-distance / 2.5));
    }
  }
  const order = (name, curve, steps, loss, isOptimal = false) => {
    const step = Array.from({ length: count }, (_, i) => 1 + steps(i));
    const number = Math.max(...step);
    const sizes = step.reduce((sums, s) => { sums[s - 1] += 1; return sums; },
      new Array(number).fill(0));
    const stepLoss = sizes.map((size, i) => (size - 1) * loss * (1 + Math.sin(i / 5)) / 2);
    const total = stepLoss.reduce((sum, own) => sum + own, 0);
    return {
      name, curve, isOptimal, step: pack("whole16", 0, 1, wide(step)),
      increase: linear(step.map((s) => stepLoss[s - 1] / sizes[s - 1]), 0, 2 * loss),
      increaseError: errors(count, loss / 50), stepLoss,
      stepLossError: stepLoss.map((own) => own / 20), total, totalError: total / 100,
    };
  };
  const stride = (n) => (i) => i % Math.floor(count / n);
  return {
    data: "sample data", facts: `made up · ${frames > 1 ? "5x8x8" : "16x16"} tokens`, unit: "nats",
    grid: [frames, rows, columns], reference: null,
    provenance: ["made up by sample.js; nothing was measured"],
    maps: {
      marginal: linear(Array.from({ length: count }, (_, i) => Math.cos(place(i)[1] / 4)), -1, 1),
      marginalError: errors(count, 0.02), information: linear(information, 0, 1.6),
      informationError: errors(count * count, 0.005), entropyError: errors(count * count, 0.02),
    },
    orders: [
      order("rows", "rows", (i) => Math.floor(i / 4), 0.8),
      order("rows of 8", "rows", (i) => Math.floor(i / 8), 1.1),
      order("far apart", "far apart", stride(4), 0.004),
      order("far apart, 8 at once", "far apart", stride(8), 0.02),
      order("far apart, 16 at once", "far apart", stride(16), 0.05, true),
    ],
    images: null,
  };
};

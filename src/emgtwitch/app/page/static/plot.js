// A stretch of a recording: filtered or raw signal with envelope, thresholds and events; zoom and pan by hand or keys.
import { clock, colour, h } from "./dom.js";

const LEAST_S = 0.05;
const AGAIN_MS = 1000; // while a long recording is being read
const SHOWN_EVENTS = 1500;
const STEPS_S = [...[0.001, 0.01, 0.1].flatMap((s) => [s, 2 * s, 5 * s]), 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800,
  3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800];
const CLOCK_S = 30; // from here on the time of day, as far as it is known, else hours from the beginning

// The plot's library is a plain script.
let library = null;
function plotLibrary() {
  library ??= new Promise((resolve, reject) => {
    document.head.append(
      h("link", { rel: "stylesheet", href: "vendor/uPlot.min.css" }),
      h("script", { src: "vendor/uPlot.iife.min.js", onload: () => resolve(window.uPlot), onerror: () => reject(new Error("The plot could not be loaded.")) }));
  });
  return library;
}

// `stretch` tells what is shown: { recording, channel, events, started }; `escape` is the way back.
export function signalPlot({ api, stretch, home, homeName, escape, pick = () => {} }) {
  let open = true;
  let plot = null;
  let view = null; // [from_s, to_s]
  let fetching = 0;
  let timer = 0;
  const box = h("div", { class: "plot" });
  const state = h("p", { class: "small quiet", role: "status" });
  const button = (label, act) => h("button", { class: "button", type: "button", onclick: act }, label);
  const raw = h("input", { type: "checkbox", onchange: () => load() });
  const node = h("section", { class: "card", "aria-label": "Signal" }, box, state,
    h("div", { class: "row" }, button("Closer", () => zoom(0.5)), button("Wider", () => zoom(2)),
      button("Earlier", () => pan(-0.5)), button("Later", () => pan(0.5)), button(homeName, () => home()),
      h("label", { class: "switch" }, raw, h("span", {}, "Unfiltered"))));

  function look(from, to) {
    const span = Math.max(to - from, LEAST_S);
    view = [Math.max(0, from), Math.max(0, from) + span];
    plot?.setScale("x", { min: view[0], max: view[1] });
    clearTimeout(timer);
    timer = setTimeout(load, plot ? 120 : 0);
  }

  const zoom = (by, at = (view[0] + view[1]) / 2) => look(at - (at - view[0]) * by, at + (view[1] - at) * by);
  const pan = (by) => look(view[0] + by * (view[1] - view[0]), view[1] + by * (view[1] - view[0]));

  async function load() {
    const mine = ++fetching;
    const [from, to] = view;
    const { recording, channel } = stretch();
    const points = Math.max(200, Math.min(2000, Math.round(box.clientWidth)));
    try {
      const [signal, UPlot] = await Promise.all([
        api.get("/signal", { from_s: from, to_s: to, channel, recording, points }), plotLibrary()]);
      if (!open || mine !== fetching) return;
      draw(UPlot, signal);
      if (signal.read < 1) timer = setTimeout(load, AGAIN_MS);
    } catch (error) {
      state.textContent = `${error.message} ${error.hint ?? ""}`;
    }
  }

  function draw(UPlot, signal) {
    const pair = raw.checked ? signal.raw : signal.filtered;
    if (!pair || signal.from_s === null) {
      state.textContent = "There is no signal here.";
      return;
    }
    state.textContent = signal.read < 1 ? `Reading the recording: ${Math.round(100 * signal.read)} %` : "";
    const count = pair.min.length;
    const x = Array.from({ length: count }, (_, n) => signal.from_s + (n + 0.5) * signal.step_s);
    const fit = (values) => (values && !raw.checked && values.length === count ? values : new Array(count).fill(null));
    const data = [x, pair.min, pair.max, fit(signal.envelope), fit(signal.on), fit(signal.off)];
    plot?.destroy();
    box.replaceChildren();
    const line = (label, name, more = {}) => ({ label, stroke: colour(name), width: 1.25, points: { show: false }, ...more });
    const { started } = stretch();
    const times = (_, splits) => splits.map((s) => (view[1] - view[0] < CLOCK_S ? `${Number(s.toFixed(4))} s` : started?.started_utc_ms
      ? clock(started.started_utc_ms + 1000 * s, started.utc_offset_s, true) : clock(1000 * s, 0, true)));
    const axis = { stroke: colour("quiet"), grid: { stroke: colour("line") }, ticks: { stroke: colour("line") } };
    plot = new UPlot({
      width: box.clientWidth, height: Math.max(240, Math.min(380, innerHeight * 0.45)),
      scales: { x: { time: false, min: view[0], max: view[1] } },
      series: [{ label: "s" }, line("least", "signal"), line("most", "signal"), line("strength", "envelope", { width: 2 }),
        line("begins above", "on", { dash: [6, 4] }), line("ends below", "off", { dash: [2, 4] })],
      bands: [{ series: [2, 1], fill: colour("signal") }],
      axes: [{ ...axis, values: times, space: 90, incrs: STEPS_S }, { ...axis, label: signal.unit, size: 60 }],
      cursor: { drag: { x: false, y: false } },
      legend: { show: false },
      hooks: { drawClear: [mark] },
    }, data, box);
    gestures(plot.over);
  }

  const shown = () => stretch().events.filter((event) => (event.offset_s ?? view[1]) > view[0] && event.onset_s < view[1]);

  // The events' stretches behind the signal.
  function mark(drawn) {
    const { ctx, bbox } = drawn;
    ctx.save();
    for (const event of shown().slice(0, SHOWN_EVENTS)) {
      const left = Math.max(drawn.valToPos(event.onset_s, "x", true), bbox.left);
      const right = Math.min(drawn.valToPos(event.offset_s ?? view[1], "x", true), bbox.left + bbox.width);
      ctx.fillStyle = colour(event.class);
      ctx.globalAlpha = 0.18;
      ctx.fillRect(left, bbox.top, Math.max(right - left, 2), bbox.height);
      ctx.globalAlpha = 1;
      ctx.fillRect(left, bbox.top + bbox.height - 4, Math.max(right - left, 2), 4);
    }
    ctx.restore();
  }

  function gestures(over) {
    const fingers = new Map();
    let moved = 0;
    const at = (event) => plot.posToVal(event.clientX - over.getBoundingClientRect().left, "x");
    over.addEventListener("wheel", (event) => {
      event.preventDefault();
      zoom(event.deltaY > 0 ? 1.2 : 1 / 1.2, at(event));
    }, { passive: false });
    over.addEventListener("pointerdown", (event) => {
      over.setPointerCapture(event.pointerId);
      fingers.set(event.pointerId, event.clientX);
      moved = 0;
    });
    over.addEventListener("pointermove", (event) => {
      if (!fingers.has(event.pointerId)) return;
      const before = [...fingers.values()];
      fingers.set(event.pointerId, event.clientX);
      const after = [...fingers.values()];
      const perPixel = (view[1] - view[0]) / over.clientWidth;
      moved += Math.abs(after[0] - before[0]);
      if (fingers.size === 2) zoom(Math.abs(before[0] - before[1]) / Math.max(10, Math.abs(after[0] - after[1])));
      else look(view[0] - (after[0] - before[0]) * perPixel, view[1] - (after[0] - before[0]) * perPixel);
    });
    for (const type of ["pointerup", "pointercancel"]) over.addEventListener(type, (event) => fingers.delete(event.pointerId));
    over.addEventListener("click", (event) => {
      if (moved > 4) return;
      const near = (8 * (view[1] - view[0])) / over.clientWidth; // a fingertip's half is 8 pixels
      const hit = shown().find((one) => at(event) >= one.onset_s - near && at(event) <= (one.offset_s ?? view[1]) + near);
      if (hit) pick(hit);
    });
  }

  const keys = (event) => {
    if (event.target.closest("input, textarea, select") || !view) return;
    const act = { ArrowLeft: () => pan(-0.2), ArrowRight: () => pan(0.2), "+": () => zoom(0.7), "-": () => zoom(1.4), Escape: escape }[event.key];
    if (act) {
      event.preventDefault();
      act();
    }
  };
  addEventListener("keydown", keys);
  return { node, look, close: () => {
    open = false;
    clearTimeout(timer);
    removeEventListener("keydown", keys);
    plot?.destroy();
  } };
}

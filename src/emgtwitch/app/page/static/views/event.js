// Look closer: the signal around an event, why it has its class, and the wearer's word on it.
import { clock, colour, h, length } from "../dom.js";

const LABELS = [["voluntary", "I moved on purpose"], ["artefact", "Not a muscle"], ["twitch", "A twitch"],
  ["contraction", "A contraction"], ["spasm", "A spasm"]];
const LEAST_S = 0.05;
const MOST_S = 3600;

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

export function mount(root, { api, argument: id, complain, say, go }) {
  let open = true;
  let plot = null;
  let told = null;
  let view = null; // [from_s, to_s]
  let fetching = 0;
  let timer = 0;
  const heading = h("h2", {}, "An event");
  const sub = h("p", { class: "quiet" });
  const box = h("div", { class: "plot" });
  const why = h("ul", {});
  const state = h("p", { class: "small quiet", role: "status" });
  const labels = h("div", { class: "chips", role: "group", "aria-label": "What was it?" });
  const button = (label, act, name = label) => h("button", { class: "button", type: "button", "aria-label": name, onclick: act }, label);
  const raw = h("input", { type: "checkbox", onchange: () => load() });
  root.append(
    h("div", { class: "row spread" }, heading, h("div", { class: "row" },
      button("Before", () => neighbour(-1), "Before: the previous event"), button("After", () => neighbour(1), "After: the next event"))),
    sub,
    h("section", { class: "card", "aria-label": "Signal" }, box, state,
      h("div", { class: "row" }, button("Closer", () => zoom(0.5)), button("Wider", () => zoom(2)),
        button("Earlier", () => pan(-0.5)), button("Later", () => pan(0.5)), button("Back to the event", () => centre()),
        h("label", { class: "switch" }, raw, h("span", {}, "Unfiltered")))),
    h("div", { class: "columns" },
      h("section", { class: "card" }, h("h3", {}, "Why this class"), why),
      h("section", { class: "card" }, h("h3", {}, "What was it?"),
        h("p", { class: "quiet small" }, "Your word is kept beside the detector's, never over it."), labels)));

  async function begin() {
    try {
      told = await api.get(`/event/${encodeURIComponent(id)}`);
      if (!open) return;
      const { event } = told;
      heading.textContent = `${event.class[0].toUpperCase()}${event.class.slice(1)}, ${length(event.duration_ms)}`;
      sub.textContent = `At ${clock(event.utc_ms, event.utc_offset_s, true)}, ${event.onset_s.toFixed(3)} s into the recording.`;
      why.replaceChildren(...told.why.map((text) => h("li", {}, text)));
      showLabels();
      centre();
    } catch (error) {
      box.replaceChildren(h("p", {}, error.message));
      complain(error);
    }
  }

  function showLabels() {
    labels.replaceChildren(...LABELS.filter(([name]) => name !== told.event.class).map(([name, text]) => h("button", {
      type: "button", "aria-pressed": String(told.event.label === name), onclick: () => label(told.event.label === name ? "confirmed" : name) }, text)));
  }

  async function label(name) {
    try {
      const kept = await api.post("/labels", { event: id, label: name });
      told.event.label = kept.label === "confirmed" ? null : kept.label;
      showLabels();
      say(name === "confirmed" ? "Taken back." : "Kept.", name === "confirmed" ? undefined : { label: "Undo", act: () => label("confirmed") });
    } catch (error) {
      complain(error);
    }
  }

  function centre() {
    const { event } = told;
    const end = event.offset_s ?? event.onset_s + 2;
    const around = Math.min(Math.max(0.4, 0.5 * (end - event.onset_s)), 5);
    look(Math.max(0, event.onset_s - around), end + around);
  }

  function look(from, to) {
    const span = Math.min(Math.max(to - from, LEAST_S), MOST_S);
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
    try {
      const { recording_id: recording, channel } = told.event;
      const [signal, UPlot] = await Promise.all([
        api.get("/signal", { from_s: from, to_s: to, channel, recording, points: Math.max(200, Math.min(2000, Math.round(box.clientWidth))) }), plotLibrary()]);
      if (open && mine === fetching) draw(UPlot, signal);
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
    state.textContent = signal.envelope.some((value) => value !== null) ? "" : "Envelope and thresholds are known for what is in memory.";
    const count = pair.min.length;
    const x = Array.from({ length: count }, (_, n) => signal.from_s + (n + 0.5) * signal.step_s);
    const fit = (values) => (values && !raw.checked && values.length === count ? values : new Array(count).fill(null));
    const data = [x, pair.min, pair.max, fit(signal.envelope), fit(signal.on), fit(signal.off)];
    plot?.destroy();
    box.replaceChildren();
    const line = (label, name, more = {}) => ({ label, stroke: colour(name), width: 1.25, points: { show: false }, ...more });
    const axis = { stroke: colour("quiet"), grid: { stroke: colour("line") }, ticks: { stroke: colour("line") } };
    plot = new UPlot({
      width: box.clientWidth, height: Math.max(240, Math.min(380, innerHeight * 0.45)),
      scales: { x: { time: false, min: view[0], max: view[1] } },
      series: [{ label: "s" }, line("least", "signal"), line("most", "signal"), line("strength", "envelope", { width: 2 }),
        line("begins above", "on", { dash: [6, 4] }), line("ends below", "off", { dash: [2, 4] })],
      bands: [{ series: [2, 1], fill: colour("signal") }],
      axes: [{ ...axis, label: "seconds", labelSize: 20 }, { ...axis, label: signal.unit, size: 60 }],
      cursor: { drag: { x: false, y: false } },
      legend: { show: false },
      hooks: { drawClear: [mark] },
    }, data, box);
    gestures(plot.over);
  }

  // The event's stretch behind the signal.
  function mark(drawn) {
    const { event } = told;
    const { ctx, bbox } = drawn;
    const left = Math.max(drawn.valToPos(event.onset_s, "x", true), bbox.left);
    const right = Math.min(drawn.valToPos(event.offset_s ?? view[1], "x", true), bbox.left + bbox.width);
    if (right <= left) return;
    ctx.save();
    ctx.globalAlpha = 0.18;
    ctx.fillStyle = colour(event.class);
    ctx.fillRect(left, bbox.top, Math.max(right - left, 2), bbox.height);
    ctx.restore();
  }

  function gestures(over) {
    const fingers = new Map();
    const at = (event) => plot.posToVal(event.clientX - over.getBoundingClientRect().left, "x");
    over.addEventListener("wheel", (event) => {
      event.preventDefault();
      zoom(event.deltaY > 0 ? 1.2 : 1 / 1.2, at(event));
    }, { passive: false });
    over.addEventListener("pointerdown", (event) => {
      over.setPointerCapture(event.pointerId);
      fingers.set(event.pointerId, event.clientX);
    });
    over.addEventListener("pointermove", (event) => {
      if (!fingers.has(event.pointerId)) return;
      const before = [...fingers.values()];
      fingers.set(event.pointerId, event.clientX);
      const after = [...fingers.values()];
      const perPixel = (view[1] - view[0]) / over.clientWidth;
      if (fingers.size === 2) zoom(Math.abs(before[0] - before[1]) / Math.max(10, Math.abs(after[0] - after[1])));
      else look(view[0] - (after[0] - before[0]) * perPixel, view[1] - (after[0] - before[0]) * perPixel);
    });
    for (const type of ["pointerup", "pointercancel"]) over.addEventListener(type, (event) => fingers.delete(event.pointerId));
  }

  async function neighbour(by) {
    try {
      const day = told?.event.utc_ms ? new Date(told.event.utc_ms + 1000 * (told.event.utc_offset_s ?? 0)).toISOString().slice(0, 10) : "today";
      const { events } = await api.get("/events", { from: day, to: day, limit: 5000 });
      const next = events[events.findIndex((event) => event.id === id) + by];
      if (next) go(`#event/${encodeURIComponent(next.id)}`);
      else say(by < 0 ? "This is the first of the day." : "This is the last of the day.");
    } catch (error) {
      complain(error);
    }
  }

  const keys = (event) => {
    if (event.target.closest("input, textarea, select") || !view) return;
    const act = { ArrowLeft: () => pan(-0.2), ArrowRight: () => pan(0.2), "+": () => zoom(0.7), "-": () => zoom(1.4), Escape: () => go("#today") }[event.key];
    if (act) {
      event.preventDefault();
      act();
    }
  };
  addEventListener("keydown", keys);
  begin();
  return () => {
    open = false;
    clearTimeout(timer);
    removeEventListener("keydown", keys);
    plot?.destroy();
  };
}

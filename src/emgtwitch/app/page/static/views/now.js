// Now: the signal as it comes, what was found in it, and how strong it is.
import { clock, colour, h, length } from "../dom.js";

const SPANS = [[10, "10 s"], [30, "30 s"], [60, "1 min"], [120, "2 min"], [300, "5 min"]];
const SHOWN_EVENTS = 6;
const KEPT_LAGS = 500;
const LEAST_RANGE = 10; // in the signal's unit: the noise of a quiet muscle shall not fill the picture
const MARGIN = { left: 46, bottom: 20, top: 6 };

export function mount(root, { api, live, prefs, say, complain }) {
  let channel = 0;
  let frame = 0;
  const canvas = h("canvas", { class: "trace", role: "img", tabindex: "0",
    "aria-label": "Filtered signal with its envelope, thresholds and events" });
  const legend = h("p", { class: "quiet small" });
  const level = h("div");
  const levelText = h("span", { class: "small quiet" }, "");
  const running = h("div", { class: "card spasm-now", role: "status", hidden: true });
  const yesterday = h("section", { class: "card", "aria-label": "Yesterday in short", hidden: true });
  const list = h("ol", { class: "list" });
  const channels = h("div", { class: "chips", role: "group", "aria-label": "Channel" });
  const spans = h("div", { class: "chips", role: "group", "aria-label": "How much signal" },
    SPANS.map(([s, name]) => h("button", { type: "button", onclick: () => { prefs.span = s; pressSpan(); live.fill(s); } }, name)));
  const pressSpan = () => [...spans.children].forEach((button, k) =>
    button.setAttribute("aria-pressed", String(SPANS[k][0] === prefs.span)));
  const felt = h("button", { class: "button main", type: "button" }, "I felt a twitch");
  felt.addEventListener("click", async () => {
    felt.disabled = true;
    try {
      const mark = await api.post("/marks", { kind: "felt" });
      say(`Marked at ${clock(mark.utc_ms, mark.utc_offset_s, true)}.`);
    } catch (error) {
      complain(error);
    }
    felt.disabled = false;
  });
  root.append(
    h("h2", {}, "Now"),
    running, yesterday,
    h("section", { class: "card", "aria-label": "Signal" },
      h("div", { class: "row spread" }, spans, channels),
      canvas, legend,
      h("div", { class: "row" }, h("span", { class: "small" }, "Level"), h("div", { class: "meter" }, level), levelText)),
    h("div", { class: "row" }, felt, h("a", { class: "button", href: "#diary" }, "Coffee, sleep, exercise ...")),
    h("section", { class: "card", "aria-label": "What was found last" }, h("h3", {}, "Found last"), list),
  );
  pressSpan();

  const picture = new Picture(canvas, live, prefs, () => channel);
  // For the benchmark of the page. A lag is from the sample that decided an event to its first picture.
  const frames = { fps: 0, frames: 0, worst_ms: 0, first_ms: 0, lags_ms: [] };
  window.emgFrames = frames;
  let since = performance.now();
  let last = since;
  let inThis = 0;
  let drawn = null;
  function draw(at) {
    frame = requestAnimationFrame(draw);
    frames.frames += 1;
    inThis += 1;
    frames.worst_ms = Math.max(frames.worst_ms * 0.999, at - last);
    last = at;
    if (at - since >= 1000) {
      frames.fps = (1000 * inThis) / (at - since);
      since = at;
      inThis = 0;
    }
    picture.draw();
    if (!frames.first_ms && live.next !== null) frames.first_ms = performance.now();
    const newest = live.events.at(-1);
    if (newest !== drawn) {
      drawn = newest;
      const { started_utc_ms: started, board } = live.state ?? {};
      if (newest?.arrived && started) frames.lags_ms.push(Date.now() - started - (1000 * newest.decided_sample) / board.rate_Hz);
      if (frames.lags_ms.length > KEPT_LAGS) frames.lags_ms.shift();
    }
    meter();
  }

  function meter() {
    const track = live.tracks[channel];
    if (!track) return;
    const value = track.rings.envelope[(live.next - 8 + live.size) % live.size];
    level.style.transform = `scaleX(${Number.isFinite(value) ? Math.min(1, Math.log10(1 + value) / 3) : 0})`;
  }

  function tell() {
    const track = live.tracks[channel];
    const value = track?.rings.envelope[(live.next - 8 + live.size) % live.size];
    levelText.textContent = Number.isFinite(value) ? `${value.toFixed(value < 10 ? 1 : 0)} ${live.unit}` : "no signal";
    legend.textContent = `Line: signal in ${live.unit}. Orange: its strength. Dashed: where an event begins (red) and ends.`;
    const spasms = [...live.running.values()];
    running.hidden = spasms.length === 0;
    if (spasms.length) {
      const s = Math.max(0, live.now() - spasms[0].onset_s);
      running.textContent = `A spasm goes on: ${length(1000 * s)} so far. It is being recorded.`;
    }
    if (live.state && channels.childElementCount !== live.state.channels.length && live.state.channels.length > 1) {
      channels.replaceChildren(...live.state.channels.map((one) => h("button", { type: "button",
        "aria-pressed": String(one.channel === channel), onclick: () => {
          channel = one.channel;
          [...channels.children].forEach((b, k) => b.setAttribute("aria-pressed", String(k === channel)));
        } }, one.muscle ? `${one.muscle} ${one.side ?? ""}`.trim() : `Channel ${one.channel + 1}`)));
    }
    felt.disabled = live.state?.writable === false;
  }

  function found() {
    const events = live.events.slice(-SHOWN_EVENTS).reverse();
    if (prefs.hideCounts) {
      list.replaceChildren(h("li", { class: "quiet" }, "Hidden, as you wished. See More."));
      return;
    }
    list.replaceChildren(...(events.length ? events.map(sentence) : [h("li", { class: "quiet" }, "Nothing yet since this page was opened.")]));
  }

  // Once a day: what yesterday was like, in a few sentences.
  async function digest() {
    if (prefs.hideCounts) return;
    try {
      const { day, sentences } = await api.get("/digest", { day: "yesterday" });
      if (prefs.digestSeen === day || sentences.length < 2) return;
      yesterday.replaceChildren(h("h3", {}, "Yesterday in short"), h("p", {}, sentences.join(" ")),
        h("button", { class: "button", type: "button", onclick: () => {
          prefs.digestSeen = day;
          yesterday.hidden = true;
        } }, "Thank you"));
      yesterday.hidden = false;
    } catch (error) {
      complain(error);
    }
  }

  const timer = setInterval(tell, 250);
  const refill = async () => {
    live.fill(prefs.span);
    try {
      const told = await api.get("/events", { limit: 200 });
      const known = new Set(live.events.map((event) => event.id));
      live.events.push(...told.events.filter((event) => !known.has(event.id)));
      live.events.sort((a, b) => (a.utc_ms ?? a.onset_s) - (b.utc_ms ?? b.onset_s));
      found();
    } catch (error) {
      complain(error);
    }
  };
  live.addEventListener("event", found);
  const began = () => live.fill(prefs.span);
  live.addEventListener("began", began);
  live.addEventListener("hello", refill);
  live.addEventListener("missed", refill);
  frame = requestAnimationFrame(draw);
  tell();
  found();
  refill();
  digest();
  return () => {
    cancelAnimationFrame(frame);
    clearInterval(timer);
    picture.close();
    live.removeEventListener("event", found);
    live.removeEventListener("began", began);
    live.removeEventListener("hello", refill);
    live.removeEventListener("missed", refill);
  };
}

export function sentence(event) {
  const name = { twitch: "Twitch", contraction: "Contraction", spasm: "Spasm" }[event.class];
  return h("li", {},
    h("a", { href: `#event/${encodeURIComponent(event.id)}` },
      h("span", { class: `dot ${event.class}` }), `${name}, ${length(event.duration_ms)}`),
    h("span", { class: "quiet small" }, event.utc_ms === null ? `${clock(1000 * event.onset_s, 0, true)} in` : clock(event.utc_ms, event.utc_offset_s, true)));
}

// Draws the rings of one channel; all of it anew each time, which takes well below a millisecond or two.
class Picture {
  constructor(canvas, live, prefs, channel) {
    Object.assign(this, { canvas, live, prefs, channel, range: LEAST_RANGE });
    this.pen = canvas.getContext("2d", { alpha: false });
    this.watch = new ResizeObserver(() => this.fit());
    this.watch.observe(canvas);
    this.scheme = matchMedia("(prefers-color-scheme: dark)");
    this.recolour = () => this.fit();
    this.scheme.addEventListener("change", this.recolour);
    this.fit();
  }

  close() {
    this.watch.disconnect();
    this.scheme.removeEventListener("change", this.recolour);
  }

  fit() {
    const ratio = Math.min(devicePixelRatio || 1, 2);
    this.width = this.canvas.clientWidth;
    this.height = this.canvas.clientHeight;
    this.canvas.width = Math.round(this.width * ratio);
    this.canvas.height = Math.round(this.height * ratio);
    this.pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.colours = Object.fromEntries(["card", "quiet", "line", "signal", "envelope", "on", "off", "twitch",
      "contraction", "spasm"].map((name) => [name, colour(name)]));
  }

  draw() {
    const { pen, live, width, height, colours } = this;
    pen.fillStyle = colours.card;
    pen.fillRect(0, 0, width, height);
    const track = live.tracks[this.channel()];
    if (!track) return;
    const span = this.prefs.span;
    const end = live.now();
    const wide = width - MARGIN.left;
    const x = (s) => MARGIN.left + wide * (1 - (end - s) / span);
    const { min, max, envelope, on, off } = track.rings;
    const oldest = Math.max(0, live.next - live.size);
    const columnsPerPixel = span / live.step / wide;
    const first = Math.ceil((end - span) / live.step);

    // The range follows what is there: at once upwards, slowly downwards.
    let most = LEAST_RANGE;
    const lows = new Float32Array(wide).fill(NaN);
    const highs = new Float32Array(wide).fill(NaN);
    for (let px = 0; px < wide; px++) {
      let low = Infinity;
      let high = -Infinity;
      const from = Math.max(oldest, Math.floor(first + px * columnsPerPixel));
      const to = Math.min(live.next, Math.max(from + 1, Math.floor(first + (px + 1) * columnsPerPixel)));
      for (let k = from; k < to; k++) {
        const slot = k % live.size;
        if (min[slot] < low) low = min[slot];
        if (max[slot] > high) high = max[slot];
      }
      if (low <= high) {
        lows[px] = low;
        highs[px] = high;
        most = Math.max(most, -low, high);
      }
    }
    this.range = most > this.range ? most : this.range + (most - this.range) * 0.02;
    const middle = MARGIN.top + (height - MARGIN.top - MARGIN.bottom) / 2;
    const scale = (height - MARGIN.top - MARGIN.bottom) / 2 / (1.08 * this.range);
    const y = (value) => middle - value * scale;

    this.axes(x, y, end, span, wide);
    this.events(x, end, span);
    pen.strokeStyle = colours.signal;
    pen.lineWidth = 1;
    pen.beginPath();
    for (let px = 0; px < wide; px++) {
      if (Number.isNaN(lows[px])) continue;
      pen.moveTo(MARGIN.left + px + 0.5, y(lows[px]) + 0.5);
      pen.lineTo(MARGIN.left + px + 0.5, y(highs[px]) - 0.5);
    }
    pen.stroke();
    for (const [ring, name, dash] of [[envelope, "envelope", []], [on, "on", [6, 4]], [off, "off", [2, 4]]]) {
      pen.strokeStyle = colours[name];
      pen.lineWidth = name === "envelope" ? 1.75 : 1.25;
      pen.setLineDash(dash);
      pen.beginPath();
      let drawing = false;
      for (let px = 0; px < wide; px += 2) {
        const k = Math.floor(first + px * columnsPerPixel);
        const value = k >= oldest && k < live.next && k >= 0 ? ring[k % live.size] : NaN;
        if (Number.isNaN(value)) drawing = false;
        else if (drawing) pen.lineTo(MARGIN.left + px, y(value));
        else {
          pen.moveTo(MARGIN.left + px, y(value));
          drawing = true;
        }
      }
      pen.stroke();
    }
    pen.setLineDash([]);
  }

  axes(x, y, end, span, wide) {
    const { pen, colours, height, width, live } = this;
    pen.strokeStyle = colours.line;
    pen.fillStyle = colours.quiet;
    pen.lineWidth = 1;
    pen.font = "11px system-ui, sans-serif";
    pen.textAlign = "right";
    const power = 10 ** Math.floor(Math.log10(this.range));
    const step = [1, 2, 5].map((m) => m * power).find((s) => this.range / s <= 2.5) ?? power * 5;
    pen.beginPath();
    for (let value = -2 * step; value <= 2 * step; value += step) {
      if (Math.abs(value) > 1.05 * this.range) continue;
      pen.moveTo(MARGIN.left, Math.round(y(value)) + 0.5);
      pen.lineTo(width, Math.round(y(value)) + 0.5);
      pen.fillText(value === 0 ? `0 ${live.unit}` : String(Number(value.toPrecision(2))), MARGIN.left - 6, y(value) + 4);
    }
    pen.textAlign = "center";
    const every = [1, 2, 5, 10, 20, 30, 60, 120].find((step) => (step * wide) / span >= 72) ?? 300; // s, so that times stay apart
    const started = live.state?.started_utc_ms;
    const base = started ? started / 1000 : 0;
    for (let s = Math.ceil((end - span + base) / every) * every - base; s <= end; s += every) {
      const at = Math.round(x(s)) + 0.5;
      if (at < MARGIN.left + 20 || at > width - 20) continue;
      pen.moveTo(at, MARGIN.top);
      pen.lineTo(at, height - MARGIN.bottom);
      const text = started ? clock(started + 1000 * s, live.state.utc_offset_s, true) : `${Math.round(s)} s`;
      pen.fillText(text, at, height - 5);
    }
    pen.stroke();
  }

  events(x, end, span) {
    const { pen, live, colours, height } = this;
    const shown = [...live.events.slice(-400), ...[...live.running.values()].map((one) => ({ ...one, class: "spasm", offset_s: end }))];
    for (const event of shown) {
      if (event.channel !== this.channel() || (event.recording_id && event.recording_id !== live.recording)) continue;
      if (event.offset_s < end - span) continue;
      const left = Math.max(x(event.onset_s), MARGIN.left);
      const wide = Math.max(x(event.offset_s) - left, 2);
      pen.globalAlpha = 0.18;
      pen.fillStyle = colours[event.class];
      pen.fillRect(left, MARGIN.top, wide, height - MARGIN.top - MARGIN.bottom);
      pen.globalAlpha = 1;
      pen.fillRect(left, height - MARGIN.bottom - 4, wide, 4);
    }
  }
}

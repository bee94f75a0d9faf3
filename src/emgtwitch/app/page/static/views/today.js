// Today: how often, in hours that could be analysed; what was not seen shows as such.
import { clock, h, hours, length, svg } from "../dom.js";
import { sentence } from "./now.js";

const HIGH = 220;
const LEFT = 34;
const FOOT = 42;
const SHOWN_TRAINS = 12;
const SHOWN_EVENTS = 12;

export function mount(root, { api, live, prefs, complain, say }) {
  let day = "today";
  let shownDay = null;
  let open = true;
  let turn = 0;
  const heading = h("h2", {}, "Today");
  const digest = h("p", {});
  const figures = h("dl", { class: "figures" });
  const picture = h("div");
  const spasms = h("ul", { class: "list" });
  const trains = h("ul", { class: "list" });
  const newest = h("ol", { class: "list" });
  const earlier = h("button", { class: "button", type: "button", "aria-label": "Earlier: the day before", onclick: () => step(-1) }, "Earlier");
  const later = h("button", { class: "button", type: "button", "aria-label": "Later: the day after", onclick: () => step(1) }, "Later");
  root.append(
    h("div", { class: "row spread" }, heading, h("div", { class: "row" }, earlier, later)),
    h("section", { class: "card", "aria-label": "In short" }, digest, figures),
    h("section", { class: "card", "aria-label": "By hour" }, h("h3", {}, "Twitches per hour of good signal"), picture),
    h("div", { class: "columns" },
      h("section", { class: "card" }, h("h3", {}, "Spasms"), spasms),
      h("section", { class: "card" }, h("h3", {}, "Trains of twitches"), trains),
      h("section", { class: "card" }, h("h3", {}, "Newest events"), newest)));

  function step(days) {
    const date = new Date(`${shownDay}T12:00:00Z`);
    date.setUTCDate(date.getUTCDate() + days);
    day = date.toISOString().slice(0, 10);
    load();
  }

  async function load() {
    const mine = ++turn;
    try {
      const [told, short, found, rows, today] = await Promise.all([
        api.get("/hours", { day }),
        api.get("/digest", { day }),
        api.get("/events", { from: day, to: day }),
        api.get("/trains", { from: day, to: day }),
        day === "today" ? null : api.get("/hours", { day: "today" }),
      ]);
      if (!open || mine !== turn) return;
      shownDay = told.day;
      const isToday = !today || today.day === told.day;
      heading.textContent = isToday ? "Today" : new Date(`${told.day}T12:00:00Z`).toLocaleDateString("en-GB",
        { weekday: "long", day: "numeric", month: "long", timeZone: "UTC" });
      later.disabled = isToday;
      inShort(told.whole, short.sentences, isToday);
      picture.replaceChildren(timeline(told, found.events, prefs.hideCounts, Math.max(280, picture.clientWidth)));
      lists(found.events, rows.trains);
    } catch (error) {
      complain(error);
    }
  }

  function inShort(whole, sentences, isToday) {
    const { per_hour: rate } = whole;
    if (prefs.hideCounts) {
      digest.textContent = `${hours(whole.analysable_s)} of good signal${isToday ? " so far" : ""}. Counts are hidden, as you wished.`;
      figures.replaceChildren();
      return;
    }
    digest.textContent = sentences.join(" ");
    const per = (value) => (value === null ? "too little signal" : value >= 10 ? String(Math.round(value)) : value.toFixed(1));
    figures.replaceChildren(...[
      ["Twitches per hour", per(rate.twitch)], ["Spasms per hour", per(rate.spasm)],
      ["Good signal", hours(whole.analysable_s)], ["Not worn, or no contact", hours(whole.not_worn_s)],
    ].map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
  }

  function lists(events, found) {
    const none = (text) => h("li", { class: "quiet" }, text);
    const bad = events.filter((event) => event.class === "spasm").reverse();
    spasms.replaceChildren(...(bad.length ? bad.map((event) => spasm(event, api, complain, say)) : [none("None.")]));
    const shown = prefs.hideCounts ? [] : found.slice(-SHOWN_TRAINS).reverse();
    trains.replaceChildren(...(shown.length ? shown.map((train) => h("li", {},
      h("span", {}, `${train.twitches} twitches${train.rate_Hz ? `, ${train.rate_Hz.toFixed(1)} a second` : ""}`),
      h("span", { class: "quiet small" }, clock(train.utc_ms, train.utc_offset_s, true)))) : [none(prefs.hideCounts ? "Hidden." : "None.")]));
    const last = prefs.hideCounts ? [] : events.slice(-SHOWN_EVENTS).reverse();
    newest.replaceChildren(...(last.length ? last.map(sentence) : [none(prefs.hideCounts ? "Hidden." : "None.")]));
  }

  load();
  const timer = setInterval(() => day === "today" && load(), 15_000);
  const again = () => load();
  live.addEventListener("hello", again);
  return () => {
    open = false;
    clearInterval(timer);
    live.removeEventListener("hello", again);
  };
}

function spasm(event, api, complain, say) {
  const pain = h("select", { "aria-label": `Pain of the spasm at ${clock(event.utc_ms, event.utc_offset_s)}, 0 to 10` },
    h("option", { value: "" }, "pain?"),
    Array.from({ length: 11 }, (_, n) => h("option", { value: String(n) }, `pain ${n}`)));
  pain.value = event.pain === null ? "" : String(event.pain);
  const note = h("input", { type: "text", maxlength: "1000", placeholder: "a note", "aria-label": "Note" });
  note.value = event.note ?? "";
  const keep = async (values) => {
    try {
      await api.post(`/spasm/${encodeURIComponent(event.id)}`, values);
      say("Kept.");
    } catch (error) {
      complain(error);
    }
  };
  pain.addEventListener("change", () => keep({ pain: pain.value === "" ? null : Number(pain.value) }));
  note.addEventListener("change", () => keep({ note: note.value || null }));
  return h("li", {},
    h("a", { href: `#event/${encodeURIComponent(event.id)}` }, h("span", { class: "dot spasm" }),
      `${clock(event.utc_ms, event.utc_offset_s)}, ${length(event.duration_ms)}`),
    h("span", { class: "row field" }, pain, note));
}

const STRIP = { good: "var(--accent)", unusable: "url(#lost)", not_worn: "url(#off)" };

// Bars by hour over a strip that says minute by minute what was worn and seen, with the spasms in it.
function timeline(told, events, hidden, width) {
  const begin = told.hours[0].from_utc_ms;
  const end = told.hours.at(-1).to_utc_ms;
  const x = (ms) => LEFT + ((width - LEFT) * (Math.min(Math.max(ms, begin), end) - begin)) / (end - begin);
  const rates = told.hours.map((hour) => (hidden ? 0 : hour.per_hour.twitch ?? 0));
  const most = Math.max(4, ...rates);
  const y = (value) => (HIGH - FOOT) * (1 - value / most) + 8 * (value / most);
  const parts = [];
  const text = (at, down, words, anchor = "middle") => {
    const node = svg("text", { x: at, y: down, "text-anchor": anchor });
    node.textContent = words;
    parts.push(node);
  };
  for (const value of [0, most / 2, most]) {
    parts.push(svg("line", { x1: LEFT, x2: width, y1: y(value), y2: y(value), stroke: "var(--line)" }));
    if (!hidden) text(LEFT - 6, y(value) + 4, value < 10 ? value.toFixed(value % 1 ? 1 : 0) : String(Math.round(value)), "end");
  }
  told.hours.forEach((hour, k) => {
    const left = x(hour.from_utc_ms);
    const wide = x(hour.to_utc_ms) - left;
    const bar = svg("rect", { x: left + 2, y: y(rates[k]), width: Math.max(wide - 4, 1), height: HIGH - FOOT - y(rates[k]), fill: "var(--twitch)", rx: 3 });
    const title = svg("title");
    const name = `${String(k).padStart(2, "0")}:00`;
    title.textContent = hour.recorded_s === 0 ? `${name}: not recorded` : `${name}: ${hidden ? "" : `${hour.counts.twitch} twitches, ${hour.counts.spasm} spasms in `}${hours(hour.analysable_s)} of good signal`;
    bar.append(title);
    parts.push(bar);
    if (k % (width < 600 ? 6 : 3) === 0) text(left, HIGH - 6, name);
  });
  const top = HIGH - FOOT + 8;
  for (const { from_utc_ms: from, to_utc_ms: to, kind } of told.strip) {
    const title = svg("title");
    title.textContent = { good: "good signal", unusable: "recorded, not usable", not_worn: "no contact, or not worn" }[kind];
    parts.push(svg("rect", { x: x(from), y: top, width: Math.max(x(to) - x(from), 0.7), height: 12, fill: STRIP[kind] }, title));
  }
  for (const event of hidden ? [] : events) {
    if (event.class !== "spasm") continue;
    const end = event.utc_ms + (event.duration_ms ?? 0);
    parts.push(svg("rect", { x: x(event.utc_ms) - 1, y: top - 3, width: Math.max(x(end) - x(event.utc_ms), 4), height: 18, fill: "var(--spasm)" }));
  }
  const hatch = (id, ...lines) => svg("pattern", { id, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
    svg("rect", { width: 6, height: 6, fill: "var(--shade)" }), ...lines);
  const stripes = hatch("lost", svg("line", { x1: 0, y1: 0, x2: 0, y2: 6, stroke: "var(--quiet)", "stroke-width": 3 }));
  const dots = hatch("off", svg("circle", { cx: 3, cy: 3, r: 1, fill: "var(--quiet)" }));
  const drawing = svg("svg", { viewBox: `0 0 ${width} ${HIGH}`, class: "day", role: "img",
    "aria-label": "Twitches per hour of good signal by hour of the day, over a strip that shows how much of each hour was recorded" },
    svg("defs", {}, stripes, dots), svg("rect", { x: LEFT, y: top, width: width - LEFT, height: 12, fill: "var(--shade)" }), ...parts);
  return h("div", {}, drawing, h("p", { class: "quiet small" },
    "Strip: full, good signal; hatched, recorded but not usable; dotted, not worn or no contact; empty, not recorded. Red: a spasm."));
}

// A recording without a board: all of it at a glance, its events, and any stretch of it closely.
import { clock, counted, h, hours } from "../dom.js";
import { signalPlot } from "../plot.js";
import { sentence } from "./now.js";

const SHOWN_EVENTS = 200;

export function mount(root, { api, live, prefs, complain, go }) {
  let open = true;
  let chosen = null; // a recording
  let channel = 0;
  let events = [];
  const heading = h("h2", {}, "Recording");
  const sub = h("p", { class: "quiet" });
  const choice = h("select", { "aria-label": "Recording", onchange: () => choose(choice.value) });
  const channels = h("div", { class: "chips", role: "group", "aria-label": "Channel" });
  const list = h("ol", { class: "list" });
  const plot = signalPlot({ api, home: whole, homeName: "All of it", escape: whole,
    pick: (event) => go(`#event/${encodeURIComponent(event.id)}`),
    stretch: () => ({ recording: chosen.recording_id, channel, events: prefs.hideCounts ? [] : events, started: chosen }) });
  root.append(h("div", { class: "row spread" }, heading, h("div", { class: "row field" }, choice, channels)), sub, plot.node,
    h("section", { class: "card" }, h("h3", {}, "Events"), list));

  let recordings = [];
  async function begin() {
    try {
      ({ recordings } = await api.get("/recordings"));
      if (!open) return;
      choice.hidden = recordings.length < 2;
      choice.append(...[...recordings].reverse().map((one) => h("option", { value: one.recording_id }, name(one))));
      if (recordings.length) await choose(recordings.at(-1).recording_id);
      else sub.textContent = "The log holds no recording yet.";
    } catch (error) {
      complain(error);
    }
  }

  async function choose(id) {
    chosen = recordings.find((one) => one.recording_id === id);
    channel = 0;
    channels.replaceChildren(...(chosen.channels < 2 ? [] : Array.from({ length: chosen.channels }, (_, k) => chosen.worn[k] ?? {}).map((one, k) => h("button", { type: "button",
      "aria-pressed": String(k === 0), onclick: () => {
        channel = k;
        [...channels.children].forEach((button, n) => button.setAttribute("aria-pressed", String(n === k)));
        show();
      } }, [one.muscle, one.side].filter(Boolean).join(" ") || `Channel ${k + 1}`))));
    await show();
  }

  async function show() {
    const { counts, events: found } = await api.get("/events", { recording: chosen.recording_id, channel, limit: 5000 });
    if (!open) return;
    events = found;
    sub.textContent = prefs.hideCounts ? `${hours(chosen.duration_s)}. Counts are hidden, as you wished.`
      : `${hours(chosen.duration_s)}, ${hours(chosen.analysable_s[channel] ?? 0)} of it good signal: ${counted(counts.twitch, "twitch", "twitches")}, ${counted(counts.contraction, "contraction")}, ${counted(counts.spasm, "spasm")}.`;
    list.replaceChildren(...(prefs.hideCounts ? [h("li", { class: "quiet" }, "Hidden.")]
      : events.length ? events.slice(0, SHOWN_EVENTS).map(sentence) : [h("li", { class: "quiet" }, "None.")]),
      ...(events.length > SHOWN_EVENTS ? [h("li", { class: "quiet" }, `And ${events.length - SHOWN_EVENTS} more: click them in the signal.`)] : []));
    whole();
  }

  function whole() {
    plot.look(0, chosen.duration_s);
  }

  begin();
  return () => {
    open = false;
    plot.close();
  };
}

const name = (one) => (one.started_utc_ms === null ? one.recording_id
  : `${new Date(one.started_utc_ms + 1000 * (one.utc_offset_s ?? 0)).toISOString().slice(0, 10)} ${clock(one.started_utc_ms, one.utc_offset_s)}, ${hours(one.duration_s)}`);

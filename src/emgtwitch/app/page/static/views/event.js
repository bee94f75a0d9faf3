// Look closer: the signal around an event, why it has its class, and the wearer's word on it.
import { clock, h, length } from "../dom.js";
import { signalPlot } from "../plot.js";

const LABELS = [["voluntary", "I moved on purpose"], ["artefact", "Not a muscle"], ["twitch", "A twitch"],
  ["contraction", "A contraction"], ["spasm", "A spasm"]];

export function mount(root, { api, argument: id, complain, say, go }) {
  let open = true;
  let told = null;
  let others = []; // of the same recording, in order
  const heading = h("h2", {}, "An event");
  const sub = h("p", { class: "quiet" });
  const why = h("ul", {});
  const labels = h("div", { class: "chips", role: "group", "aria-label": "What was it?" });
  const button = (label, act, name = label) => h("button", { class: "button", type: "button", "aria-label": name, onclick: act }, label);
  const plot = signalPlot({ api, home: centre, homeName: "Back to the event", escape: () => go("#today"), pick: (event) => event.id !== id && show(event),
    stretch: () => ({ recording: told.event.recording_id, channel: told.event.channel, events: others.length ? others : [told.event] }) });
  root.append(
    h("div", { class: "row spread" }, heading, h("div", { class: "row" },
      button("Before", () => neighbour(-1), "Before: the previous event"), button("After", () => neighbour(1), "After: the next event"))),
    sub,
    plot.node,
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
      await findOthers();
      if (open) centre();
    } catch (error) {
      plot.node.replaceChildren(h("p", {}, error.message));
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
    plot.look(Math.max(0, event.onset_s - around), end + around);
  }

  async function findOthers() {
    const { recording_id: recording, channel } = told.event;
    others = (await api.get("/events", { recording, channel, limit: 5000 })).events;
  }

  const show = (event) => go(`#event/${encodeURIComponent(event.id)}`);

  function neighbour(by) {
    const at = others.findIndex((event) => event.id === id);
    if (at < 0) return;
    const next = others[at + by];
    if (next) show(next);
    else say(by < 0 ? "This is the first of the recording." : "This is the last of the recording.");
  }

  begin();
  return () => {
    open = false;
    plot.close();
  };
}

// Calibrate: a guided minute of rest, gentle and firm contraction.
import { clock, h, svg } from "../dom.js";

const NAMES = { rest: "Rest", gentle: "Gently", pause: "Let go", firm: "Firmly" };
const AROUND = 2 * Math.PI * 54;
const VERDICTS = { good: "The electrodes sit well", fair: "Usable", poor: "The electrodes do not sit well yet", unknown: "No result" };

export function mount(root, { api, live, complain, say }) {
  const box = h("section", { class: "card", "aria-live": "polite" });
  const level = h("div");
  let timer = 0;
  let frame = 0;
  let shown = "";
  root.append(h("h2", {}, "Calibrate"), box);

  const ring = svg("circle", { cx: 60, cy: 60, r: 54, fill: "none", stroke: "var(--accent)", "stroke-width": 10,
    "stroke-dasharray": AROUND, "stroke-dashoffset": AROUND, transform: "rotate(-90 60 60)", "stroke-linecap": "round" });
  const left = svg("text", { x: 60, y: 70, "text-anchor": "middle", "font-size": 30, fill: "currentColor" });
  const circle = svg("svg", { viewBox: "0 0 120 120", class: "ring", role: "img", "aria-label": "Time left" },
    svg("circle", { cx: 60, cy: 60, r: 54, fill: "none", stroke: "var(--shade)", "stroke-width": 10 }), ring, left);
  const meter = h("div", { class: "row" }, h("span", { class: "small" }, "Level"), h("div", { class: "meter" }, level));

  const channel = h("select", { "aria-label": "Channel", hidden: true });
  function channels() {
    const all = live.state?.channels ?? [];
    channel.hidden = all.length < 2;
    channel.replaceChildren(...all.map((one) => h("option", { value: String(one.channel) }, [one.muscle, one.side].filter(Boolean).join(" ") || `Channel ${one.channel + 1}`)));
  }

  async function begin() {
    try {
      shown = "";
      show(await api.post("/calibrate", { channel: Number(channel.value) || 0 }));
    } catch (error) {
      complain(error);
    }
  }

  async function look() {
    try {
      show(await api.get("/calibrate"));
    } catch {
      // the state above says that the daemon is away; this looks again
    }
  }

  function show(told) {
    clearTimeout(timer);
    if (told.state === "running") {
      timer = setTimeout(look, 400);
      const phase = told.phases.find((one) => one.name === told.phase);
      ring.setAttribute("stroke-dashoffset", AROUND * (told.left_s / phase.seconds));
      left.textContent = Math.ceil(told.left_s);
      if (shown !== told.phase) box.replaceChildren(h("div", { class: "row" }, circle, h("div", {}, h("h3", {}, NAMES[told.phase]), h("p", {}, told.do))), meter);
      shown = told.phase;
    } else if (told.state === "done") {
      if (shown !== "done") result(told.result);
      shown = "done";
    } else if (shown !== "idle") {
      shown = "idle";
      box.replaceChildren(
        h("p", {}, "One minute: let the muscle rest, tighten it gently, then firmly. It shows how strong the signal is over the noise, and whether the electrodes sit well."),
        ...(told.kept?.snr_dB === undefined ? [] : [h("p", { class: "quiet" },
          `Last kept at ${clock(told.kept.utc_ms, told.kept.utc_offset_s)}: rest ${told.kept.baseline} ${told.kept.unit}, firm ${told.kept.snr_dB} dB above it.`)]),
        h("div", { class: "row field" }, channel, h("button", { class: "button main", type: "button", onclick: begin }, "Begin")));
      channels();
    }
  }

  function result(told) {
    const number = (value) => (value === undefined ? "-" : `${value < 10 ? value.toFixed(1) : Math.round(value)} ${told.unit}`);
    const keep = h("button", { class: "button main", type: "button", onclick: async () => {
      keep.disabled = true;
      try {
        await api.post("/calibrate/keep");
        say("Kept in the log.");
      } catch (error) {
        keep.disabled = false;
        complain(error);
      }
    } }, "Keep this");
    box.replaceChildren(
      h("h3", {}, VERDICTS[told.verdict]), h("p", {}, told.do),
      ...(told.verdict === "unknown" ? [] : [h("dl", { class: "figures" },
        ...[["At rest", number(told.baseline)], ["Gently", number(told.gentle)], ["Firmly", number(told.firm)],
          ["Firmly over rest", `${told.snr_dB} dB`]].map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))))]),
      h("div", { class: "row" }, told.verdict === "unknown" ? [] : keep,
        h("button", { class: "button", type: "button", onclick: begin }, "Once more")));
  }

  function draw() {
    frame = requestAnimationFrame(draw);
    const value = live.tracks[Number(channel.value) || 0]?.rings.envelope[(live.next - 8 + live.size) % live.size];
    level.style.transform = `scaleX(${Number.isFinite(value) ? Math.min(1, Math.log10(1 + value) / 3) : 0})`;
  }
  look();
  frame = requestAnimationFrame(draw);
  return () => {
    clearTimeout(timer);
    cancelAnimationFrame(frame);
  };
}

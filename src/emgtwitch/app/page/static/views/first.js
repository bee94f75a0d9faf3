// First run: what this is and is not, the safety text, and where the electrodes go.
import { h, svg } from "../dom.js";

export function drawing() {
  const line = (d, more = {}) => svg("path", { d, fill: "none", stroke: "currentColor", "stroke-width": "2.5", ...more });
  const dot = (cx, cy, fill) => svg("circle", { cx, cy, r: 9, fill, stroke: "currentColor", "stroke-width": "2" });
  const text = (x, y, words) => {
    const node = svg("text", { x, y, fill: "currentColor", "font-size": "13" });
    node.textContent = words;
    return node;
  };
  return svg("svg", { viewBox: "40 0 330 250", class: "drawing", role: "img",
    "aria-label": "A lower leg from the side: two electrodes on the calf, along the muscle, 20 millimetres apart; the reference on the bone of the shin" },
    line("M95 12 C70 60 62 100 80 150 C88 176 92 200 92 222 L150 236 C160 238 160 228 150 226 L128 214 C122 190 126 160 132 120 C138 80 136 40 132 12"),
    line("M124 40 C128 90 122 150 116 200", { "stroke-dasharray": "4 5", opacity: "0.5" }),
    dot(82, 74, "var(--accent)"), dot(80, 104, "var(--accent)"), dot(124, 108, "var(--card)"),
    line("M92 74 L176 56", { "stroke-width": "1.2" }), line("M90 104 L176 92", { "stroke-width": "1.2" }),
    line("M134 108 L176 140", { "stroke-width": "1.2" }),
    text(182, 60, "two electrodes, along the"), text(182, 77, "muscle, 20 mm apart"),
    text(182, 144, "reference: on bone,"), text(182, 161, "the shin or the ankle"));
}

export function mount(root, { api, complain, say, go }) {
  const text = h("pre", { class: "text" }, "...");
  const agree = h("button", { class: "button main", type: "button", disabled: true }, "I have read this");
  root.append(
    h("h2", {}, "Before you begin"),
    h("section", { class: "card" }, h("h3", {}, "What this is"),
      h("p", {}, "emgtwitch listens to a muscle through electrodes on the skin. It counts brief twitches and longer spasms, and keeps a diary that you and your doctor can read."),
      h("p", {}, "It names no disease and judges nothing: twitches are mostly harmless. What worries you, or hurts, or makes you weak, belongs before a doctor, with or without these figures.")),
    h("section", { class: "card" }, h("h3", {}, "Safety"), text),
    h("section", { class: "card" }, h("h3", {}, "Where the electrodes go"), drawing(),
      h("p", {}, "Wipe the skin with alcohol and let it dry. Put two electrodes on the belly of the muscle, in the direction in which it pulls, and the third on bone nearby. Never on the chest, the front of the neck or the head."),
      h("p", {}, "Then open Calibrate: in a minute it tells whether they sit well.")),
    agree);
  agree.addEventListener("click", async () => {
    agree.disabled = true;
    try {
      await api.post("/acknowledge", { text: text.textContent });
      say("Kept. You find this text again under More.");
      go("#now");
    } catch (error) {
      agree.disabled = false;
      complain(error);
    }
  });
  api.get("/acknowledge").then((told) => {
    text.textContent = told.text;
    agree.disabled = false;
    if (told.acknowledged_utc_ms !== null) agree.textContent = "I have read this again";
  }, complain);
}

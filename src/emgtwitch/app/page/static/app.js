// The shell: which view is shown, how the sensor is, and what is said below.
import { api, live } from "./api.js";
import { h } from "./dom.js";
import { applyTheme, prefs } from "./prefs.js";
import { watchSpasms } from "./spasms.js";

const VIEWS = {
  now: () => import("./views/now.js"),
  recording: () => import("./views/recording.js"),
  today: () => import("./views/today.js"),
  event: () => import("./views/event.js"),
  diary: () => import("./views/diary.js"),
  calibrate: () => import("./views/calibrate.js"),
  more: () => import("./views/more.js"),
  first: () => import("./views/first.js"),
};
const NAV = ["now", "today", "diary", "calibrate", "more"];
const SAID_MS = 5000;

const root = document.getElementById("view");
const saying = document.getElementById("say");
let unmount = () => {};
let sayTimer = 0;
let turn = 0;

export function say(text, action) {
  clearTimeout(sayTimer);
  saying.replaceChildren(h("span", {}, text));
  if (action) saying.append(h("button", { class: "link", type: "button", onclick: action.act }, action.label));
  saying.hidden = false;
  sayTimer = setTimeout(() => (saying.hidden = true), SAID_MS + (action ? 3000 : 0));
}

export function complain(error) {
  say(`${error.message} ${error.hint ?? ""}`.trim());
}

const context = { api, live, prefs, say, complain, go: (hash) => (location.hash = hash) };

async function show() {
  const mine = ++turn;
  let [name, ...rest] = location.hash.slice(1).split("/");
  if (!(name in VIEWS)) name = "now";
  if (name === "now" && closed()) name = "recording";
  for (const link of document.querySelectorAll("nav a")) {
    const current = link.hash === `#${{ event: "today", recording: "now" }[name] ?? name}`;
    if (current) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const view = await VIEWS[name]();
  if (mine !== turn) return; // another was asked for meanwhile
  unmount();
  root.replaceChildren();
  root.dataset.view = name;
  unmount = view.mount(root, { ...context, argument: decodeURIComponent(rest.join("/")) }) ?? (() => {});
  document.title = `${root.querySelector("h2")?.textContent ?? "Now"} - emgtwitch`;
}

// Whether there is a recording and no board: then Now is the recording.
const closed = () => live.state?.state === "closed";

function showState() {
  const first = document.querySelector("nav a");
  const name = closed() ? "Recording" : "Now";
  if (first.textContent !== name) {
    first.textContent = name;
    if (["", "#now", "#recording"].includes(location.hash)) show();
  }
  const chip = document.getElementById("state");
  const told = live.connected ? live.state : null;
  chip.dataset.state = told?.state ?? "down";
  const headline = told?.headline ?? (live.connected ? "Waiting for the sensor" : "The daemon does not answer");
  const advice = told?.do ?? (live.connected ? "" : "This page tries again by itself.");
  // Only what has changed: a screen reader says it each time.
  if (chip.firstElementChild.textContent !== headline) chip.firstElementChild.textContent = headline;
  if (chip.lastElementChild.textContent !== advice) chip.lastElementChild.textContent = advice;
}

addEventListener("hashchange", show);
addEventListener("keydown", (event) => {
  if (event.target.closest("input, textarea, select") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key >= "1" && event.key <= "5") location.hash = NAV[event.key - 1];
});
for (const type of ["state", "hello", "down"]) live.addEventListener(type, showState);

applyTheme();
live.connect();
watchSpasms(live, prefs);
if (!location.hash) {
  try {
    const { acknowledged_utc_ms } = await api.get("/acknowledge");
    if (acknowledged_utc_ms === null) history.replaceState(null, "", "#first");
  } catch (error) {
    complain(error);
  }
}
show();

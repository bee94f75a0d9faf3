// More: the wearer's wishes, the settings in force, the safety text.
import { h } from "../dom.js";

export function mount(root, { api, prefs, complain, say }) {
  const toggle = (name, label, hint, after) => h("label", { class: "switch" },
    h("input", { type: "checkbox", checked: prefs[name], onchange: async ({ target }) => {
      if (after && target.checked && !(await after())) target.checked = false;
      prefs[name] = target.checked;
    } }), h("span", {}, label, h("br"), h("span", { class: "quiet small" }, hint)));
  const themes = h("div", { class: "chips", role: "group", "aria-label": "Colours" },
    ["auto", "light", "dark"].map((name) => h("button", { type: "button", "aria-pressed": String(prefs.theme === name),
      onclick: ({ target }) => {
        prefs.theme = name;
        [...themes.children].forEach((button) => button.setAttribute("aria-pressed", String(button === target)));
      } }, { auto: "As the system", light: "Light", dark: "Dark" }[name])));
  const settings = h("dl", { class: "list" });
  async function allow() {
    if (!("Notification" in window)) say("This browser shows no notifications.");
    else if ((await Notification.requestPermission()) === "granted") return true;
    else say("The browser does not allow notifications for this page.");
    return false;
  }
  root.append(
    h("h2", {}, "More"),
    h("section", { class: "card" }, h("h3", {}, "Calm"),
      toggle("hideCounts", "Hide counts", "Twitches are logged all the same; look at them when you want to."),
      h("p", { class: "quiet small" }, "There is never a sound or a message for a twitch."),
      toggle("sound", "A soft tone when a spasm begins", "While this page is open."),
      toggle("notify", "A notification when a spasm begins", "While this page is open.", allow)),
    h("section", { class: "card" }, h("h3", {}, "Colours"), themes),
    h("section", { class: "card" }, h("h3", {}, "Settings in force"), settings),
    h("section", { class: "card" }, h("h3", {}, "About"),
      h("p", {}, "emgtwitch names no disease and is no medical device. All data stay on this computer."),
      h("a", { class: "button", href: "#first" }, "Safety, and where the electrodes go")));
  api.get("/settings").then(({ software, detector, worn, device, data }) => {
    const rows = [["Version", software], ["Data", data], ["Board", device.device ?? "none"],
      ["Rate", device.rate_Hz ? `${device.rate_Hz} Hz, ${device.channels} channel${device.channels > 1 ? "s" : ""}` : "-"],
      ["Worn", worn.map((one) => [one.muscle, one.side, one.placement].filter(Boolean).join(", ")).filter(Boolean).join("; ") || "not said"],
      ...Object.entries(detector)];
    settings.append(...rows.map(([name, value]) => h("div", { class: "row spread small" }, h("dt", { class: "quiet" }, name), h("dd", {}, String(value)))));
  }, complain);
}

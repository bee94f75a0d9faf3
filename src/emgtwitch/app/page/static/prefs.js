// What this browser remembers of the wearer's wishes; where it may not, they last as long as the page.
const DEFAULTS = { hideCounts: false, theme: "auto", digestSeen: "", sound: false, notify: false, span: 30 };
const KEY = "emgtwitch";
let kept = { ...DEFAULTS };
try {
  kept = { ...kept, ...JSON.parse(localStorage.getItem(KEY) ?? "{}") };
} catch {
  // no storage: the defaults
}

export const prefs = new Proxy(kept, {
  set(target, name, value) {
    target[name] = value;
    try {
      localStorage.setItem(KEY, JSON.stringify(target));
    } catch {
      // this time only
    }
    applyTheme();
    return true;
  },
});

export function applyTheme() {
  document.documentElement.dataset.theme = kept.theme;
}

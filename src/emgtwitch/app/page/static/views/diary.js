// Diary: one tap for what may matter; the time can be put right later. Shown as kept once the daemon says so.
import { clock, h } from "../dom.js";

export function mount(root, { api, live, complain, say }) {
  let open = true;
  let labels = new Map();
  const taps = h("div", { class: "chips" });
  const list = h("ul", { class: "list" });
  const from = h("input", { type: "date", "aria-label": "From this day on" });
  from.value = new Date(Date.now() - 60_000 * new Date().getTimezoneOffset()).toISOString().slice(0, 10);
  from.addEventListener("change", () => load());
  root.append(
    h("h2", {}, "Diary"),
    h("section", { class: "card" }, h("h3", {}, "Now"), taps, h("p", { class: "quiet small" }, "One tap notes it with the present time. Put time, amount and words right below.")),
    h("section", { class: "card" }, h("div", { class: "row spread" }, h("h3", {}, "Entries"), h("label", { class: "field" }, h("span", { class: "quiet small" }, "from"), from)), list));

  async function load() {
    try {
      const day = from.value || "today";
      const [{ diary }, { marks }] = await Promise.all([
        api.get("/diary", { from: day, to: "today" }), api.get("/marks", { from: day, to: "today" })]);
      if (!open) return;
      const felt = marks.filter((mark) => mark.source !== "board").map((mark) => ({ ...mark, mark: true }));
      const rows = [...diary, ...felt].sort((a, b) => (b.utc_ms ?? 0) - (a.utc_ms ?? 0));
      list.replaceChildren(...(rows.length ? rows.map(entry) : [h("li", { class: "quiet" }, "Nothing yet.")]));
    } catch (error) {
      complain(error);
    }
  }

  function entry(row) {
    const name = labels.get(row.kind)?.label ?? row.kind;
    const amount = row.value === null || row.value === undefined ? "" : `, ${row.value} ${row.unit ?? ""}`;
    const item = h("li", {},
      h("span", {}, h("strong", {}, name), amount, row.note ? h("span", { class: "quiet" }, ` ${row.note}`) : null),
      h("span", { class: "row" }, h("span", { class: "quiet small" }, when(row)),
        row.mark ? null : h("button", { class: "link", type: "button", onclick: () => item.replaceWith(form(row)) }, "Change")));
    return item;
  }

  function when(row) {
    if (!row.utc_ms) return "time unknown";
    const date = new Date(row.utc_ms + 1000 * (row.utc_offset_s ?? 0)).toISOString().slice(0, 10);
    return `${date === from.value ? "" : `${date} `}${clock(row.utc_ms, row.utc_offset_s)}`;
  }

  function form(row) {
    const offset = row.utc_offset_s ?? 0;
    const time = h("input", { type: "datetime-local" });
    time.value = new Date(row.utc_ms + 1000 * offset).toISOString().slice(0, 16);
    const value = h("input", { type: "number", step: "any" });
    value.value = row.value ?? "";
    const unit = h("input", { type: "text", maxlength: "20" });
    unit.value = row.unit ?? labels.get(row.kind)?.unit ?? "";
    const note = h("input", { type: "text", maxlength: "1000" });
    note.value = row.note ?? "";
    const field = (name, input) => h("label", { class: "field" }, h("span", { class: "quiet small" }, name), input);
    const act = (what) => async () => {
      try {
        await what();
        await load();
      } catch (error) {
        complain(error);
      }
    };
    return h("li", {}, h("div", { class: "columns" }, field("When", time), field("How much", value), field("Unit", unit), field("Note", note)),
      h("div", { class: "row" },
        h("button", { class: "button main", type: "button", onclick: act(async () => {
          const changed = { note: note.value || null, value: value.value === "" ? null : Number(value.value), unit: value.value === "" ? null : unit.value || null };
          const typed = Date.parse(`${time.value}:00Z`);
          if (Number.isFinite(typed) && time.value !== new Date(row.utc_ms + 1000 * offset).toISOString().slice(0, 16)) changed.utc_ms = typed - 1000 * offset;
          await api.patch(`/diary/${row.id}`, changed);
          say("Kept.");
        }) }, "Keep"),
        h("button", { class: "button", type: "button", onclick: load }, "Cancel"),
        h("button", { class: "button", type: "button", onclick: act(async () => {
          const gone = await api.del(`/diary/${row.id}`);
          const { kind, value: old, unit: oldUnit, note: oldNote, utc_ms } = gone;
          say("Taken out.", { label: "Undo", act: act(() => api.post("/diary", { kind, value: old, unit: oldUnit, note: oldNote, utc_ms })) });
        }) }, "Take out")));
  }

  async function tap(button, factor) {
    button.disabled = true;
    try {
      if (factor.target === "mark") await api.post("/marks", { kind: factor.kind });
      else {
        const { id } = await api.post("/diary", { kind: factor.kind });
        say(`${factor.label} kept.`, { label: "Undo", act: () => api.del(`/diary/${id}`).then(load, complain) });
      }
      if (factor.target === "mark") say(`${factor.label}: marked.`);
      await load();
    } catch (error) {
      complain(error);
    }
    button.disabled = live.state?.writable === false;
  }

  api.get("/factors").then(({ factors }) => {
    labels = new Map(factors.map((factor) => [factor.kind, factor]));
    taps.replaceChildren(...factors.map((factor) => {
      const button = h("button", { type: "button", onclick: () => tap(button, factor) }, factor.label);
      button.disabled = live.state?.writable === false;
      return button;
    }));
    return load();
  }, complain);
  const again = () => load();
  live.addEventListener("hello", again);
  return () => {
    open = false;
    live.removeEventListener("hello", again);
  };
}

// The daemon's API, and its live socket with what it has told in the last five minutes.
const BASE = "/api/v1";
const KEPT_S = 300;
const RETRY_MS = [500, 1000, 2000, 5000];
const MOST_EVENTS = 2000;
const FILL_COLUMNS = 2000; // in one request

async function ask(method, path, { query, body } = {}) {
  const url = new URL(BASE + path, location.href);
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== null) url.searchParams.set(name, value);
  }
  const options = { method };
  if (body !== undefined) {
    options.headers = { "Content-Type": "application/json" };
    options.body = JSON.stringify(body);
  }
  let answer;
  try {
    answer = await fetch(url, options);
  } catch {
    throw new Refusal("The daemon does not answer.", "Is it running? This page tries again by itself.");
  }
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refusal(told.error ?? `The daemon answered ${answer.status}.`, told.what_to_do ?? "");
  return told;
}

export class Refusal extends Error {
  constructor(message, hint) {
    super(message);
    this.hint = hint;
  }
}

export const api = {
  get: (path, query) => ask("GET", path, { query }),
  post: (path, body) => ask("POST", path, { body }),
  patch: (path, body) => ask("PATCH", path, { body }),
  del: (path) => ask("DELETE", path),
};

// One channel's columns: the slot of a column is its number modulo the size of the rings.
class Track {
  constructor(size) {
    this.rings = Object.fromEntries(
      ["min", "max", "envelope", "on", "off"].map((name) => [name, new Float32Array(size).fill(NaN)]),
    );
  }
}

class Live extends EventTarget {
  constructor() {
    super();
    this.state = null;
    this.connected = false;
    this.events = []; // with `arrived`, in ms of performance.now()
    this.running = new Map();
    this.clear(0.005);
    this.tries = 0;
  }

  clear(step) {
    this.step = step;
    this.size = Math.ceil(KEPT_S / step);
    this.tracks = [];
    this.next = null; // the column after the newest
    this.opened = null; // the first that came live
    this.filled = null; // the first that has been fetched
    this.lag = null; // by how much the clock of performance.now() is ahead of the signal
    this.unit = "uV";
  }

  connect() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}${BASE}/live`);
    socket.onmessage = ({ data }) => this.hear(JSON.parse(data));
    socket.onclose = () => {
      this.connected = false;
      this.tell("down");
      setTimeout(() => this.connect(), RETRY_MS[Math.min(this.tries, RETRY_MS.length - 1)]);
      this.tries += 1;
    };
  }

  hear(message) {
    const { type } = message;
    if (type === "hello") {
      this.connected = true;
      this.tries = 0;
      if (this.recording !== message.recording_id) {
        this.recording = message.recording_id;
        this.clear(this.step);
        this.events = [];
      }
      this.running.clear();
    } else if (type === "state") {
      this.state = message;
      this.running = new Map(message.running.map((one) => [one.id, one]));
    } else if (type === "signal") {
      this.take(message);
    } else if (type === "announcement") {
      this.running.set(message.id, message);
    } else if (type === "event") {
      this.running.delete(message.id);
      message.arrived = performance.now();
      this.events.push(message);
      if (this.events.length > MOST_EVENTS) this.events.splice(0, MOST_EVENTS / 2);
    }
    this.tell(type, message);
  }

  take(message) {
    const { from_s, step_s, channels } = message;
    const first = Math.round(from_s / step_s);
    if (step_s !== this.step || channels.length !== this.tracks.length || (this.next !== null && first < this.next)) {
      this.clear(step_s);
      this.tracks = channels.map(() => new Track(this.size));
    }
    this.unit = message.unit;
    const count = channels[0].envelope.length;
    const missing = this.next === null ? 0 : Math.min(first - this.next, this.size);
    channels.forEach((channel, k) => {
      const series = { ...channel, min: channel.filtered.min, max: channel.filtered.max };
      for (const [name, ring] of Object.entries(this.tracks[k].rings)) {
        for (let n = 0; n < missing; n++) ring[(this.next + n) % this.size] = NaN;
        const values = series[name];
        for (let n = 0; n < count; n++) ring[(first + n) % this.size] = values[n] ?? NaN;
      }
    });
    this.opened ??= first;
    this.next = first + count;
    const lag = performance.now() / 1000 - this.next * step_s;
    // The least lag is the truest, but the clocks drift.
    this.lag = this.lag === null || Math.abs(lag - this.lag) > 2 ? lag : Math.min(lag, this.lag + 0.0005);
    if (this.opened === first) this.tell("began");
  }

  // Fetch what is missing of the last `span` seconds: what came before this page was opened.
  async fill(span) {
    if (this.filling || this.next === null) return;
    this.filling = true;
    try {
      for (;;) {
        const { next, step, recording, tracks } = this;
        const wanted = Math.max(0, next - Math.round(span / step), next - this.size + FILL_COLUMNS);
        const stop = this.filled ?? this.opened;
        if (stop <= wanted) return;
        const start = Math.max(wanted, stop - FILL_COLUMNS);
        const query = { from_s: start * step, to_s: stop * step, points: Math.max(10, stop - start) };
        const parts = await Promise.all(tracks.map((_, channel) => api.get("/signal", { ...query, channel })));
        if (this.recording !== recording || this.tracks !== tracks) return;
        this.filled = start;
        parts.forEach((part, k) => {
          if (part.filtered === null || Math.abs(part.step_s - step) > 1e-9) return;
          const at = Math.round(part.from_s / step);
          const series = { ...part, min: part.filtered.min, max: part.filtered.max };
          for (const [name, ring] of Object.entries(tracks[k].rings)) {
            series[name].forEach((value, n) => {
              if (at + n < stop) ring[(at + n) % this.size] = value ?? NaN;
            });
          }
        });
      }
    } catch {
      // what is not in memory any more stays blank
    } finally {
      this.filling = false;
    }
  }

  // Session time that a smooth display shows now: a little late, so that there is always signal.
  now() {
    if (this.next === null) return 0;
    return Math.min(performance.now() / 1000 - this.lag - 0.12, this.next * this.step);
  }

  tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

export const live = new Live();

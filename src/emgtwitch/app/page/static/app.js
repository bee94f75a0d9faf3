// The bare page: live signal, state and events. Everything it shows comes from /api/v1.
const byId = (id) => document.getElementById(id);
const SHOWN_S = 10;
const MOST_EVENTS = 30;
let columns = []; // [time in s, least, most] of channel 0, in order

function draw() {
  const canvas = byId("signal");
  const pen = canvas.getContext("2d");
  const end = columns.length ? columns[columns.length - 1][0] : 0;
  columns = columns.filter(([at]) => at > end - SHOWN_S);
  const limit = Math.max(20, ...columns.map(([, low, high]) => Math.max(-low, high)));
  pen.clearRect(0, 0, canvas.width, canvas.height);
  pen.strokeStyle = getComputedStyle(document.body).color;
  pen.beginPath();
  for (const [at, low, high] of columns) {
    const x = canvas.width * (1 - (end - at) / SHOWN_S);
    const y = (value) => canvas.height / 2 * (1 - value / limit);
    pen.moveTo(x, y(low));
    pen.lineTo(x, y(high) - 1);
  }
  pen.stroke();
  requestAnimationFrame(draw);
}

const handlers = {
  state(message) {
    byId("state").textContent = message.headline;
    byId("do").textContent = message.do;
  },
  signal(message) {
    const { min, max } = message.channels[0].filtered;
    min.forEach((low, n) => {
      if (low !== null) columns.push([message.from_s + n * message.step_s, low, max[n]]);
    });
  },
  event(message) {
    const item = document.createElement("li");
    item.textContent = `${message.class}, ${Math.round(message.duration_ms)} ms at ${message.onset_s.toFixed(2)} s`;
    byId("events").prepend(item);
    while (byId("events").children.length > MOST_EVENTS) byId("events").lastChild.remove();
  },
};

function connect() {
  const socket = new WebSocket(`ws://${location.host}/api/v1/live`);
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    handlers[message.type]?.(message);
  };
  socket.onclose = () => {
    byId("state").textContent = "Not connected";
    setTimeout(connect, 1000);
  };
}

byId("felt").onclick = async () => {
  const answer = await fetch("/api/v1/marks", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ kind: "felt" }),
  });
  byId("answer").textContent = answer.ok ? "Marked." : (await answer.json()).error;
};
connect();
requestAnimationFrame(draw);

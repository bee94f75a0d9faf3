// Sound or notification for spasms, if the wearer has asked for them: never for twitches.
export function watchSpasms(live, prefs) {
  const told = new Set();
  live.addEventListener("announcement", ({ detail }) => {
    if (told.has(detail.id)) return;
    told.add(detail.id);
    if (prefs.sound) tone();
    if (prefs.notify && "Notification" in window && Notification.permission === "granted") {
      new Notification("A spasm has begun", { body: "It is being recorded.", tag: detail.id, silent: !prefs.sound });
    }
  });
}

function tone() {
  const audio = new AudioContext();
  const level = audio.createGain();
  const source = audio.createOscillator();
  source.frequency.value = 330;
  level.gain.setValueAtTime(0, audio.currentTime);
  level.gain.linearRampToValueAtTime(0.15, audio.currentTime + 0.1);
  level.gain.linearRampToValueAtTime(0, audio.currentTime + 0.8);
  source.connect(level).connect(audio.destination);
  source.start();
  source.stop(audio.currentTime + 0.9);
  source.onended = () => audio.close();
}

"""emgtwitch in a notebook: each `# %%` begins a cell."""

# %% A plain array: noise of 3 uV with five bursts of 40 ms
import numpy as np

import emgtwitch

rate_Hz = 1000
rng = np.random.default_rng(1)
signal_uV = rng.normal(0, 3, 30 * rate_Hz)
for onset_s in (12, 14, 17, 20, 26):
    burst = slice(onset_s * rate_Hz, onset_s * rate_Hz + 40)
    signal_uV[burst] += rng.normal(0, 60, 40)

# %% Events, as a structured array: one row each, columns by name
events = emgtwitch.detect_events(signal_uV, rate_Hz)
twitches = events[events["class"] == "twitch"]
print(f"{len(twitches)} twitches at {np.round(twitches['onset_s'], 2)} s")
print(f"their strength: {np.round(twitches['snr_dB'])} dB over rest")

# %% A recording, a foreign file or a data folder opens by its path:
#
#     recording = emgtwitch.open("session.emgw")
#     recording.signal(0)          # uV, NaN where nothing was received
#     recording.events             # as above
#     recording.intervals          # time that could not be analysed
#     emgtwitch.to_pandas(recording.events)
#
#     log = emgtwitch.open("~/.local/share/emgtwitch")
#     log.open(log.recordings[-1])

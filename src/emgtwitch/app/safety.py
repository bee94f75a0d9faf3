"""What everyone who wears the sensor must have read."""

from __future__ import annotations

SAFETY = (
    "Not a medical device. Battery only: nothing connected to the mains while the electrodes are on, "
    "not while charging; a hobby USB isolator is not medical isolation. Not with a pacemaker or another implant, "
    "never across the chest, not on broken skin, not in the bath."
)

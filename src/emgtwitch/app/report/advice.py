"""Static words: how it was measured, what a report cannot tell, and when to see someone. The same for everyone."""

from __future__ import annotations

NOT_A_DEVICE = "Not a medical device. This report describes a signal; it is no diagnosis."

METHOD = (
    "One bipolar surface channel is sampled at {rate_Hz:g} Hz, freed from mains and band-passed ({low_Hz:g} to "
    "{high_Hz:g} Hz). An event begins where its RMS rises over a threshold that follows the noise floor, and ends "
    "where it returns to a lower one. Its length alone names it: up to {twitch_ms:g} ms a twitch, from "
    "{spasm_s:g} s a spasm, between them a contraction. {train} or more twitches, each less than {gap_s:g} s "
    "after the one before, are a train. These are the settings of the last recording. Rates count analysable "
    "hours only: what was lost, not worn or disturbed counts neither as time nor as zero. The 95 % intervals take "
    "whole days as the unit, so twitches that come in clusters make them wider."
)
CANNOT_TELL = (
    "One pair of electrodes hears one muscle, mostly near the skin; deep, small or distant twitches go unheard. "
    "It cannot tell a voluntary movement from an involuntary one: contractions are mostly movement, and some "
    "events counted here may be too. Amplitudes depend on placement, skin and gain and cannot be compared between "
    "people or placements. It is no needle EMG and no nerve conduction study, and few or no events do not exclude "
    "anything."
)
SEE_SOMEONE = (
    "Twitches are common and mostly harmless. See a doctor if one goes on for more than two weeks, comes in more "
    "than one place, if the area feels weak or stiff, or if a prescribed medicine may be the cause; do not stop "
    "that medicine on your own. See a doctor about cramps that disturb sleep or come with numbness or swelling, "
    "and at once if a cramp lasts longer than ten minutes."
)
SOURCES = (
    "Sources: NHS, Twitching eyes and muscles (nhs.uk, last reviewed 30 October 2023); nidirect, Leg cramps "
    "(nidirect.gov.uk, read in November 2026)."
)

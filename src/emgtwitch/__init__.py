"""emgtwitch: find muscle twitches and spasms in surface EMG, live or recorded."""

__version__ = "0.1.0"

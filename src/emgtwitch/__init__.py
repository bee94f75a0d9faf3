"""emgtwitch: find muscle twitches and spasms in surface EMG, live or recorded.

For notebooks: `emgtwitch.open(path)` and `emgtwitch.detect_events(signal, fs_Hz)`; see docs/api.md. They are loaded
when first used, so that the command line starts light.
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from emgtwitch.app.notebook import detect_events as detect_events
    from emgtwitch.app.notebook import open_path as open
    from emgtwitch.app.notebook import to_pandas as to_pandas
    from emgtwitch.settings import Settings as Settings

__all__ = ["Settings", "__version__", "detect_events", "open", "to_pandas"]


def __getattr__(name: str) -> Any:
    if name == "Settings":
        from emgtwitch.settings import Settings

        return Settings
    if name in __all__:
        from emgtwitch.app import notebook

        return getattr(notebook, "open_path" if name == "open" else name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

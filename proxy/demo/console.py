"""Where the demo's console listens. It runs as another process; the demo prints its address before it is there."""

import socket

from proxy.settings import Settings, SettingsError


def hold_port(settings: Settings) -> socket.socket:
    """Binds the port of the console: the named one, else the default, else a free one, as the demo prints which.

    The socket keeps the port from others. Close it when the console starts.

    Raises:
        ModuleNotFoundError: a package of the extra `console` is not installed.
        SettingsError: the named port is taken, or the console would be open to other machines.
    """
    from proxy.cli.console_access import check_access, listen  # noqa: PLC0415 - it needs packages of the extra

    check_access(settings)
    free = settings.model_copy(update={"console_port": 0})
    is_named = "console_port" in settings.model_fields_set
    try:
        return listen(settings if is_named or settings.port else free)
    except SettingsError:
        if is_named:
            raise
        return listen(free)

"""Where the demo's console listens. It runs as another process; the demo prints its address before it is there."""

from proxy.settings import Settings, SettingsError


def choose_port(settings: Settings) -> int:
    """Returns the port of the console: the named one, else the default, else a free one, as the demo prints which.

    Raises:
        ModuleNotFoundError: a package of the extra `console` is not installed.
        SettingsError: the named port is taken, or the console would be open to other machines.
    """
    from proxy.cli.console_access import check_access, listen  # noqa: PLC0415 - it needs packages of the extra

    check_access(settings)
    free = settings.model_copy(update={"console_port": 0})
    is_named = "console_port" in settings.model_fields_set
    try:
        listener = listen(settings if is_named or settings.port else free)
    except SettingsError:
        if is_named:
            raise
        listener = listen(free)
    with listener:
        return int(listener.getsockname()[1])

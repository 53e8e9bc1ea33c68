"""The command `serve`."""

import os
from argparse import Namespace

from proxy.keyring.file import load_keyring
from proxy.observability.logs import configure_logs
from proxy.server.run import listen, serve
from proxy.settings import load_settings
from proxy.unknown_variables import unknown_variables


def run_server(options: Namespace) -> int:
    """Runs the server until SIGTERM or SIGINT and returns its exit status."""
    settings = load_settings(serving=True)
    keyring = load_keyring(settings)  # once here, so that a mistake ends the command
    configure_logs(settings.log_level, settings.log_format)
    warnings = unknown_variables(os.environ, keyring.variables)
    with listen(settings) as listener:
        return serve(settings, listener, reload=options.reload, warnings=warnings)

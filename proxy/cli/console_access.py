"""Access to the console: where it listens, and what opens it (operations contract, section 5)."""

import ipaddress
import socket
from contextlib import suppress

from adapters.entra.registration import AppRegistration
from adapters.entra.sign_in import EntraSignIn
from proxy.console.entra_access import EntraAccess
from proxy.console.session_cookie import is_loopback_name
from proxy.console.sign_in import requires_sign_in
from proxy.console.token_sign_in import TokenSignIn, read_token
from proxy.settings import Settings, SettingsError, variable_name


def check_access(settings: Settings) -> None:
    """Checks that the console is open to no machine without a sign-in.

    Raises:
        SettingsError: it would listen for other machines without a sign-in, or the sign-in can't work.
    """
    host = f"{variable_name('console_host')}: {settings.console_host} is open to other machines; "
    is_loopback = _names_loopback(settings.console_host)
    if settings.console_auth == "entra":
        if not settings.console_name and not is_loopback:
            name = variable_name("console_name")
            raise SettingsError(f"{host}set {name} to the host name to which Entra sends browsers back")
    elif settings.console_token_file is not None:
        read_token(settings.console_token_file)
    elif not is_loopback:
        raise SettingsError(_open_to_others(settings))


def warnings_of(settings: Settings) -> list[str]:
    """What is allowed, and may not be meant."""
    found, name, file = [], variable_name("console_name"), variable_name("console_token_file")
    if settings.console_auth == "entra" and settings.console_token_file is not None:
        found.append(f"{file}: has no effect, because {variable_name('console_auth')} is entra")
    if not requires_sign_in(settings) and settings.console_name and not is_loopback_name(settings.console_name):
        found.append(f"{name}: a proxy of this name opens the console to all that it lets in; set {file}")
    return found


def open_access(settings: Settings) -> TokenSignIn | EntraAccess | None:
    """How one signs in; None where all on this machine may use the console.

    Raises:
        SettingsError: the token can't be used.
    """
    if settings.console_auth == "entra":
        registration = AppRegistration(str(settings.console_tenant_id), str(settings.console_client_id))
        return EntraAccess(settings.console_name, EntraSignIn(registration, settings.console_principals))
    return None if settings.console_token_file is None else TokenSignIn(settings.console_token_file)


def listen(settings: Settings) -> socket.socket:
    """Listens at the console's address. Connections wait until the server is there.

    Raises:
        SettingsError: it is taken, or none of this machine's; or it is none of loopback, and nobody signs in.
    """
    host, port = settings.console_host, settings.console_port
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (OSError, UnicodeError) as error:
        listener.close()
        names = f"{variable_name('console_host')}, {variable_name('console_port')}"
        reason = error.strerror if isinstance(error, OSError) else "is no host name"
        raise SettingsError(f"{names}: can't listen on {host}:{port}: {reason}") from None
    # A name such as localhost may resolve to any address.
    if not requires_sign_in(settings) and not ipaddress.ip_address(listener.getsockname()[0]).is_loopback:
        listener.close()
        raise SettingsError(_open_to_others(settings))
    listener.listen()
    return listener


def url_of(listener: socket.socket) -> str:
    """Where a console listens."""
    address, port = listener.getsockname()[:2]
    return f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"


def _names_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host.lower() == "localhost"


def _open_to_others(settings: Settings) -> str:
    return (
        f"{variable_name('console_host')}: {settings.console_host} is open to other machines; set"
        f" {variable_name('console_token_file')} or {variable_name('console_auth')}=entra, or listen on 127.0.0.1"
    )

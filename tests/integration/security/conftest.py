"""An emulator that takes tokens only over TLS, and the endpoints that give them."""

from collections.abc import Iterator

import pytest

from proxy.demo.azurite import Emulator, start_emulator
from tests.support.entra import HEADER, Certificate, Entra, make_certificate, start_entra


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate of this session's own."""
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="session")
def secure_emulator(certificate: Certificate) -> Iterator[Emulator]:
    """An Azurite with TLS and bearer tokens."""
    arguments = ["--oauth", "basic", "--cert", str(certificate.certificate), "--key", str(certificate.key)]
    with start_emulator(extra=arguments) as running:
        yield running


@pytest.fixture
def entra(certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> Iterator[Entra]:
    """Identities that azure-identity finds in its environment, and trust in the certificate."""
    with start_entra(certificate) as running:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate.certificate))
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate.certificate))  # for what the tests write themselves
        monkeypatch.setenv("IDENTITY_ENDPOINT", running.managed_identity_url)
        monkeypatch.setenv("IDENTITY_HEADER", HEADER)
        monkeypatch.setenv("AZURE_AUTHORITY_HOST", running.authority)
        yield running

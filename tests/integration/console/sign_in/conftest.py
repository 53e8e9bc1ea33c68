"""A tenant of Microsoft Entra ID, and the environment by which this process finds it and gets tokens of an identity."""

from collections.abc import Iterator

import pytest

from tests.support.entra import HEADER, Certificate, make_certificate, start_entra
from tests.support.entra_tenant import Tenant, start_tenant


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tenant"))


@pytest.fixture(scope="module")
def running_tenant(certificate: Certificate) -> Iterator[Tenant]:
    with (
        start_entra(certificate) as identity,
        start_tenant(certificate) as running,
        pytest.MonkeyPatch.context() as environment,
    ):
        for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
            environment.setenv(name, str(certificate.certificate))
        environment.setenv("AZURE_AUTHORITY_HOST", running.authority)
        environment.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
        environment.setenv("IDENTITY_ENDPOINT", identity.managed_identity_url)
        environment.setenv("IDENTITY_HEADER", HEADER)
        for module in ("code_flow", "id_token"):  # a machine may stall
            environment.setattr(f"adapters.entra.{module}.CALL_SECONDS", 20.0)
        yield running


@pytest.fixture
def tenant(running_tenant: Tenant) -> Tenant:
    """The tenant as it is at first."""
    vars(running_tenant).update(vars(Tenant(running_tenant.port)))
    return running_tenant

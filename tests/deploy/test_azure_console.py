"""`deploy/azure`: the console is off, and where it is on only those named may sign in."""

import re
import subprocess
from typing import Any

from proxy.console.request_guard import LIVEZ
from proxy.settings import Settings, load_settings
from tests.deploy import console_needs
from tests.deploy.azure_files import AZD, MAIN, PARAMETERS, RESOURCES, app, environment, value_of
from tests.deploy.bicep_file import members, plain, text_of
from tests.deploy.tools import ROOT

GUID = "00000000-0000-0000-0000-000000000001"


def test_the_console_is_off_and_needs_an_app_registration_and_somebody_who_may_sign_in() -> None:
    assert PARAMETERS["console"] == {"value": "${PROXY_CONSOLE=false}"}
    module = RESOURCES.of_kind("module")["console"]
    assert "= if (makesConsole && !empty(proxyImage)) {" in text_of(module.node)
    assert module.texts("params.image") == ["proxyImage"]
    assert text_of(RESOURCES.of_kind("var")["makesConsole"].node).endswith("= consoleSignIn != null")
    sign_in = text_of(MAIN.of_kind("var")["consoleSignIn"].node)
    assert re.search(r"!console\s+\? null\s+: isObjectId\(consoleClientId\) && !empty\(principalIds\)\s", sign_in)
    assert "fail('PROXY_CONSOLE=true, " in sign_in


def test_the_console_signs_in_by_entra_at_one_replica_and_no_setting_of_others_changes_that() -> None:
    texts = {"string(port)": "8090", "string(readOnly)": "True", "join(principals, ',')": f"{GUID},{GUID}"}
    given: dict[str, Any] = {
        name.removeprefix("PROXY_").lower(): plain(value) or texts.get(text_of(value), GUID)
        for name, value in environment("console").items()
        if name.startswith("PROXY_")
    }
    settings = load_settings(**given | {"keyring": "{}", "trusted_proxies": "10.0.0.0/8", "console_name": "a.example"})
    assert (settings.console_auth, settings.console_read_only) == ("entra", True)
    assert settings.worker_jobs == console_needs.JOBS
    assert Settings.model_fields["console_port"].default == settings.console_port
    assert app("console").texts("properties.template.containers.env") == [
        "ownSettings",
        "filter(extraSettings, setting => !contains(own, setting.name))",
    ]
    assert app("console").texts("properties.template.containers.args") == ["console"]
    scale = app("console").at("properties.template.scale")
    assert [{name: text_of(value) for name, value in members(each).items()} for each in scale] == [
        {"minReplicas": "1", "maxReplicas": "1"}
    ]
    assert app("console").texts("properties.configuration.ingress.allowInsecure") == ["false"]
    assert set(app("console").texts("properties.template.containers.probes.httpGet.path")) == {LIVEZ}


def test_what_the_consoles_sign_in_needs_is_printed_only_where_there_is_one() -> None:
    hooks = {system: ROOT / hook["run"] for system, hook in AZD["hooks"]["postup"].items()}
    given = {"PROXY_PUBLIC_URL": "https://a.example", "PROXY_CONSOLE_CLIENT_ID": GUID}

    def run(**more: str) -> str:
        command = ["sh", hooks["posix"]]
        return subprocess.run(command, env=given | more, capture_output=True, text=True, timeout=10, check=True).stdout

    assert "console" not in run()
    printed = run(PROXY_CONSOLE_HOST_NAME="console-1.example")
    for line in (
        f"az ad app update --id {GUID} --web-redirect-uris https://console-1.example/sign-in/callback",
        "azd env get-value AZURE_CONSOLE_FEDERATION > federation.json",
        f"az ad app federated-credential create --id {GUID} --parameters federation.json",
    ):
        assert f"\n  {line}\n" in printed
    assert (
        re.findall("  az.*", hooks["posix"].read_text("utf-8").replace("$PROXY", "$env:PROXY"))[-3:]
        == re.findall("  az.*", hooks["windows"].read_text("utf-8"))[-3:]
    )
    federation = value_of(MAIN.of_kind("output")["AZURE_CONSOLE_FEDERATION"])
    for text in ("subject: resources.outputs.consolePrincipalId", "audiences: ['api://AzureADTokenExchange']"):
        assert text in text_of(federation)

"""wire-contract.md, section 3: what a request claims about the host shows up in no answer."""

import pytest

from tests.support.job_samples import JOB_TYPES, path_of, rich_job
from tests.support.live import LiveServer, start_server
from tests.support.raw_http import connection, get, target
from tests.support.storage import Storage

FORGED = (
    "Host: evil.example",
    "X-Forwarded-Host: evil.example",
    "X-Forwarded-Server: evil.example",
    "X-Forwarded-Proto: evil",
    "X-Forwarded-Prefix: /evil",
    "X-Original-URL: /evil",
    "X-Rewrite-URL: /evil",
    "Forwarded: host=evil.example;proto=evil",
    "X-HTTP-Method-Override: EVIL",
    "Referer: https://evil.example/",
    "Origin: https://evil.example",
    "Via: 1.1 evil.example",
)


@pytest.mark.parametrize("mode", ["sas", "redirect"])
def test_a_forged_host_shows_up_nowhere(mode: str, account: Storage) -> None:
    paths = [path_of(job_type, rich_job(account, job_type)) for job_type in JOB_TYPES]
    outputs = [path + "/output/succeeded" for path in paths if "data/" not in path]
    with start_server(account, output_links=mode) as server, connection(server) as opened:
        for path in ("Dataflows/ListJobs", *paths, *outputs, "Dataflows/LoadDataSource/none", "nowhere"):
            for key, output in (("master-key", "json"), ("master-key", "xml"), ("unknown", "json")):
                absolute = "http://evil.example" + target(path, key, o=output)
                for asked in (target(path, key, o=output), absolute):
                    answer = opened.ask(get(asked, *FORGED))
                    assert b"evil" not in answer.body.lower()
                    assert "evil" not in str(answer.headers).lower()


@pytest.mark.parametrize(
    "host", ["x/REST/v1/Dataflows/ListJobs?key=master-key#", "x?", "x#", "", " ", "@", "[::1", "x:99999", "a" * 5000]
)
def test_a_host_changes_no_path(host: str, proxy: LiveServer, account: Storage) -> None:
    job_id = account.job("Geocode")
    sent = get(target(f"Dataflows/Geocode/{job_id}")).replace(b"Host: proxy.example", b"Host: " + host.encode())
    with connection(proxy) as opened:
        answer = opened.ask(sent)
        assert answer.envelope["resourceSets"][0]["resources"][0]["id"] == job_id
        assert opened.ask(sent.replace(b"/Geocode/", b"/Nothing/")).status == 404

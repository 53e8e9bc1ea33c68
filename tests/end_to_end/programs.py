"""Programs that poll a job, by the names that the table of `docs/old-name.md` gives them."""

import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support.processes import ROOT

POLLERS = Path(__file__).parent / "pollers"


@dataclass(frozen=True)
class Program:
    """How a program runs, and what it trusts.

    Args:
        needs: a command that succeeds where the program can run.
        command: the program's words; `{}` is the place of the way.
        way: what the page has the operator write so that the program trusts the internal authority.
        by_system: whether an authority in the system's store is enough.
        adds: whether public authorities stay trusted; None if the test cannot see it.
        way_to_system: the way leads to the system's store, not to a file.
        built_in: the program has its public authorities built in, where no test can put one.
    """

    needs: str
    command: str
    way: str
    by_system: bool
    adds: bool | None
    way_to_system: bool = False
    built_in: bool = False


def python(library: str, way: str, *, by_system: bool, adds: bool, way_to_system: bool = False) -> Program:
    """A Python program that polls by a library."""
    module = "pip._vendor.truststore" if library == "truststore" else library
    command = f"env {{}} {sys.executable} {POLLERS}/poll.py {library}"
    return Program(f"{sys.executable} -c 'import {module}'", command, way, by_system, adds, way_to_system)


def node(library: str, way: str, *, way_to_system: bool = False) -> Program:
    """A Node.js program that polls by a library."""
    command = f"env AXIOS_FROM={ROOT}/deploy/emulator/ {{}} node {POLLERS}/poll.mjs {library}"
    needs = "node --use-system-ca -e 0" if "SYSTEM_CA" in way else "node --version"
    return Program(needs, command, way, by_system=False, adds=None, way_to_system=way_to_system, built_in=True)


def other(needs: str, command: str, way: str, *, adds: bool | None, by_system: bool = True) -> Program:
    """Any other program."""
    return Program(needs, command.replace("POLLERS", str(POLLERS)), way, by_system, adds)


LWP, TINY = "perl -MLWP::Protocol::https -e 1", "perl -MIO::Socket::SSL -e 1"
PHP = "php -r 'exit(extension_loaded(\"{}\") ? 0 : 1);'"
JAVA = "sh -c 'command -v java javac keytool'"
TRUST_STORE = "-Djavax.net.ssl.trustStore=bundle.p12 -Djavax.net.ssl.trustStorePassword=changeit"
IMPORT = "keytool -importcert -noprompt -cacerts -storepass changeit -alias old-name -file authority.pem"
SYSTEM_BUNDLE = "REQUESTS_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt"

PROGRAMS = {
    "requests": python("requests", "REQUESTS_CA_BUNDLE=bundle.pem", by_system=False, adds=False),
    "requests by the system's file": python("requests", SYSTEM_BUNDLE, by_system=False, adds=True, way_to_system=True),
    "requests with truststore": python("truststore", "", by_system=True, adds=True),
    "httpx": python("httpx", "SSL_CERT_FILE=bundle.pem", by_system=False, adds=False),
    "urllib3": python("urllib3", "SSL_CERT_FILE=bundle.pem", by_system=True, adds=True),
    "urllib": python("urllib", "SSL_CERT_FILE=bundle.pem", by_system=True, adds=True),
    "aiohttp": python("aiohttp", "SSL_CERT_FILE=bundle.pem", by_system=True, adds=True),
    "Node.js fetch": node("fetch", "NODE_EXTRA_CA_CERTS=authority.pem"),
    "https": node("https", "NODE_EXTRA_CA_CERTS=authority.pem"),
    "axios": node("axios", "NODE_EXTRA_CA_CERTS=authority.pem"),
    "Node.js by OpenSSL's store": node("https", "NODE_OPTIONS=--use-openssl-ca", way_to_system=True),
    "Node.js by the system's store": node("fetch", "NODE_USE_SYSTEM_CA=1", way_to_system=True),
    "Java by import": other(JAVA, "sh -c '{}\nexec java Poll \"$@\"' sh", IMPORT, by_system=False, adds=True),
    "Java by a store of its own": other(JAVA, "java {} Poll", TRUST_STORE, by_system=False, adds=False),
    "curl": other("curl --version", "env {} sh POLLERS/poll.sh curl", "CURL_CA_BUNDLE=bundle.pem", adds=True),
    "wget": other(
        "wget --version", "env OPTIONS={} sh POLLERS/poll.sh wget", "--ca-certificate=authority.pem", adds=True
    ),
    "Perl LWP": other(LWP, "env {} perl POLLERS/poll.pl lwp", "PERL_LWP_SSL_CA_FILE=bundle.pem", adds=False),
    "Perl HTTP::Tiny": other(TINY, "env {} perl POLLERS/poll.pl tiny", "SSL_CERT_FILE=bundle.pem", adds=False),
    "PHP curl": other(PHP.format("curl"), "php {} POLLERS/poll.php curl", "-d curl.cainfo=bundle.pem", adds=True),
    "PHP streams": other(
        PHP.format("openssl"), "php {} POLLERS/poll.php openssl", "-d openssl.cafile=bundle.pem", adds=False
    ),
    "Ruby Net::HTTP": other(
        "ruby -ropenssl -e 1", "env {} ruby POLLERS/poll.rb", "SSL_CERT_FILE=bundle.pem", adds=True
    ),
    "Go": other("go version", "env {} ./poll", "SSL_CERT_FILE=bundle.pem", adds=True),
    "R download.file": other(
        "Rscript --version", "env {} Rscript POLLERS/poll.R libcurl", "CURL_CA_BUNDLE=bundle.pem", adds=True
    ),
    "R curl": other("Rscript -e library(curl)", "env {} Rscript POLLERS/poll.R curl", "", adds=None),
}

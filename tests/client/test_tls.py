"""HTTPS with certificates of the system's store, which `SSL_CERT_FILE` names, or of a bundle of one's own."""

import datetime as dt
import ipaddress
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fake_aws import FakeAws

CALL = """
import sys
from oxidyn import ConnectError, _core
url, ca_bundle = sys.argv[1:]
client = _core.Client(
    endpoint_url=url, region="r", access_key_id="k", secret_access_key="s", ca_bundle=ca_bundle or None
)
try:
    print(client._call("GetItem", b"{}"))
except ConnectError as error:
    print("refused:", error)
"""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("tls") / "certificate.pem")


def make_certificate(path: Path) -> Path:
    """Make a certificate for 127.0.0.1 that vouches for itself, with its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "fake of AWS")])
    now = dt.datetime.now(dt.timezone.utc)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


def call(url: str, ca_bundle: str = "", **environment: str) -> "subprocess.CompletedProcess[str]":
    inherited = {name: value for name, value in os.environ.items() if name != "AWS_CA_BUNDLE"}
    # A process of its own, since the system's certificates are read once.
    return subprocess.run(
        [sys.executable, "-c", CALL, url, ca_bundle],
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_trusted_certificate(certificate: Path) -> None:
    with FakeAws(certificate) as fake:
        process = call(fake.url, SSL_CERT_FILE=str(certificate))

    assert (process.returncode, process.stdout, process.stderr) == (0, "b'{}'\n", "")
    assert [request.operation for request in fake.requests] == ["GetItem"]


def test_certificate_that_nobody_vouches_for_is_refused(certificate: Path) -> None:
    with FakeAws(certificate) as fake:
        process = call(fake.url)

    assert "refused: no connection to https://127.0.0.1" in process.stdout
    assert "certificate" in process.stdout
    assert fake.requests == []


def test_certificates_of_a_bundle_named_by_the_caller(certificate: Path) -> None:
    with FakeAws(certificate) as fake:
        process = call(fake.url, ca_bundle=str(certificate), AWS_CA_BUNDLE="/nowhere/else.pem")

    assert (process.returncode, process.stdout, process.stderr) == (0, "b'{}'\n", "")


def test_certificates_of_a_bundle_named_by_the_environment(certificate: Path) -> None:
    with FakeAws(certificate) as fake:
        process = call(fake.url, AWS_CA_BUNDLE=str(certificate))

    assert (process.returncode, process.stdout, process.stderr) == (0, "b'{}'\n", "")


def test_a_bundle_is_trusted_instead_of_the_systems_certificates(certificate: Path, tmp_path: Path) -> None:
    another = make_certificate(tmp_path / "another.pem")

    with FakeAws(certificate) as fake:
        process = call(fake.url, ca_bundle=str(another), SSL_CERT_FILE=str(certificate))

    assert "refused: no connection to https://127.0.0.1" in process.stdout


def test_a_bundle_that_cannot_be_read_is_told(certificate: Path) -> None:
    with FakeAws(certificate) as fake:
        process = call(fake.url, ca_bundle="/nowhere/bundle.pem")

    assert "refused: the CA bundle /nowhere/bundle.pem cannot be used" in process.stdout
    assert fake.requests == []


def test_no_certificate_is_read_for_an_endpoint_without_tls(tmp_path: Path) -> None:
    # What cannot be read would be told, so a system's store that is broken shows whether it was looked at.
    with FakeAws() as fake:
        process = call(fake.url, SSL_CERT_FILE=str(tmp_path / "none.pem"), SSL_CERT_DIR=str(tmp_path))

    assert (process.returncode, process.stdout, process.stderr) == (0, "b'{}'\n", "")

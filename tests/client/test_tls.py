"""HTTPS with certificates of the system's store, which `SSL_CERT_FILE` names."""

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
client = _core.Client(endpoint_url=sys.argv[1], region="r", access_key_id="k", secret_access_key="s")
try:
    print(client._call("GetItem", b"{}"))
except ConnectError as error:
    print("refused:", error)
"""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that vouches for itself, with its key."""
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
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


def call(url: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    # A process of its own, since the system's certificates are read once.
    return subprocess.run(
        [sys.executable, "-c", CALL, url],
        env={**os.environ, **environment},
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

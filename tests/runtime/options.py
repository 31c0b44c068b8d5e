"""What a client takes to reach a fake of AWS."""

from __future__ import annotations

from typing import Any

from tests.fake_aws import FakeAws


def options(fake: FakeAws, **more: Any) -> dict[str, Any]:
    return {"endpoint_url": fake.url, "region": "r", "access_key_id": "k", "secret_access_key": "s", **more}

"""pydantic-extra-types: each type is stored and comes back equal and of the same type, or is refused with a reason."""

import importlib
import importlib.util
from typing import Any

import pytest

from oxidyn import InvalidItem, UnsupportedTypeError
from tests.codec.judges import Field

if importlib.util.find_spec("pydantic_extra_types") is None:
    pytest.skip("pydantic-extra-types is not installed", allow_module_level=True)

TYPES = [
    ("color.Color", "red", {"S": "red"}),
    ("color.Color", "#12345678", {"S": "#12345678"}),
    ("coordinate.Latitude", 41.5, {"N": "41.5"}),
    ("coordinate.Longitude", -8.25, {"N": "-8.25"}),
    ("coordinate.Coordinate", "41.5,2.25", None),
    ("country.CountryAlpha2", "DE", {"S": "DE"}),
    ("country.CountryAlpha3", "DEU", {"S": "DEU"}),
    ("country.CountryNumericCode", "276", {"S": "276"}),
    ("country.CountryShortName", "Germany", {"S": "Germany"}),
    ("currency_code.ISO4217", "EUR", {"S": "EUR"}),
    ("currency_code.Currency", "EUR", {"S": "EUR"}),
    ("domain.DomainStr", "example.com", {"S": "example.com"}),
    ("epoch.Number", 1769817600.5, {"N": "1769817600.5"}),
    ("epoch.Integer", 1769817600, {"N": "1769817600"}),
    ("iban.IBAN", "DE89370400440532013000", {"S": "DE89370400440532013000"}),
    ("isbn.ISBN", "9788537809662", {"S": "9788537809662"}),
    ("language_code.LanguageAlpha2", "de", {"S": "de"}),
    ("language_code.LanguageName", "German", {"S": "German"}),
    ("language_code.ISO639_3", "deu", {"S": "deu"}),
    ("language_code.ISO639_5", "gem", {"S": "gem"}),
    ("mac_address.MacAddress", "00:00:5e:00:53:01", {"S": "00:00:5e:00:53:01"}),
    ("mime_types.MimeType", "text/plain", {"S": "text/plain"}),
    ("path.ResolvedDirectoryPath", "/", {"S": "/"}),
    ("path.ResolvedNewPath", "/no-such-file", {"S": "/no-such-file"}),
    ("payment.PaymentCardNumber", "4000000000000002", {"S": "4000000000000002"}),
    ("pendulum_dt.DateTime", "2026-01-31T12:30:00+00:00", {"S": "2026-01-31T12:30:00.000000Z"}),
    ("pendulum_dt.Date", "2026-01-31", {"S": "2026-01-31"}),
    ("pendulum_dt.Time", "12:30:00", None),
    ("pendulum_dt.Duration", "P1DT2H", None),
    ("phone_numbers.PhoneNumber", "+493012345678", {"S": "tel:+49-30-12345678"}),
    ("routing_number.ABARoutingNumber", "122105155", {"S": "122105155"}),
    ("s3.S3Path", "s3://bucket/key", {"S": "s3://bucket/key"}),
    ("script_code.ISO_15924", "Latn", {"S": "Latn"}),
    ("semantic_version.SemanticVersion", "1.2.3-rc.1", {"S": "1.2.3-rc.1"}),
    ("timezone_name.TimeZoneName", "Europe/Berlin", {"S": "Europe/Berlin"}),
]


def imported(name: str) -> Any:
    module, attribute = name.split(".")
    try:
        return getattr(importlib.import_module(f"pydantic_extra_types.{module}"), attribute)
    except (ImportError, RuntimeError) as missing:
        # Some of them need a package of their own.
        pytest.skip(str(missing))


@pytest.mark.parametrize(("name", "given", "stored"), TYPES, ids=[f"{name} {given}" for name, given, _ in TYPES])
def test_it_is_stored_and_comes_back_equal_and_of_the_same_type(name: str, given: Any, stored: Any):
    field = Field(imported(name))

    field.check_round_trip(given)
    if stored is not None:
        assert field.store(given) == stored


@pytest.mark.parametrize("name", sorted({name for name, given, stored in TYPES if stored and "S" in stored}))
def test_text_that_it_refuses_is_refused_with_its_path(name: str):
    if name in ("path.ResolvedNewPath", "path.ResolvedDirectoryPath"):
        pytest.skip("nearly any text is a path")

    with pytest.raises(InvalidItem) as caught:
        Field(imported(name)).load({"S": "\x00"})
    assert {error["loc"][0] for error in caught.value.errors()} == {"value"}


def test_python_ulids_own_type_is_stored_by_its_text():
    ulid = pytest.importorskip("ulid").ULID
    field = Field(ulid)

    field.check_round_trip(ulid.from_str("01BTGNYV6HRNK8K8VKZASZCFP3"))
    assert field.store("01BTGNYV6HRNK8K8VKZASZCFP3") == {"S": "01BTGNYV6HRNK8K8VKZASZCFP3"}
    assert Field(dict[ulid, int]).store({"01BTGNYV6HRNK8K8VKZASZCFP3": 1}) == {
        "M": {"01BTGNYV6HRNK8K8VKZASZCFP3": {"N": "1"}}
    }


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        # It has no serializer, and Pydantic itself cannot write it.
        ("ulid.ULID", "nothing says how an instance of ULID is stored"),
    ],
)
def test_it_is_refused_when_compiled_with_a_reason(name: str, reason: str):
    with pytest.raises(UnsupportedTypeError, match=reason):
        Field(imported(name))

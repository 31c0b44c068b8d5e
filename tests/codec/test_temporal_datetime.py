import json
from datetime import datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Annotated
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AwareDatetime, FutureDatetime, NaiveDatetime, PastDatetime, TypeAdapter
from pydantic import Field as Constrained

from oxidyn import TTL, Attribute, Epoch, Index, PartitionKey, SchemaError
from tests.codec.judges import Field

MOMENT = Field(datetime)
SECONDS = Field(Annotated[datetime, Epoch])
MILLISECONDS = Field(Annotated[datetime, Epoch("ms")])
EXPIRY = Field(Annotated[datetime, TTL])
UTC = timezone.utc
FIRST = datetime(1, 1, 1)
LAST = datetime(9999, 12, 31, 23, 59, 59, 999999)

offsets = st.integers(-24 * 60 + 1, 24 * 60 - 1).map(lambda minutes: timezone(timedelta(minutes=minutes)))
naive = st.datetimes()
aware = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=offsets)


def canonical(value):
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def test_aware_datetime_is_stored_as_s_in_utc_with_six_digits_and_z():
    value = datetime(2026, 1, 31, 12, 30, 5, tzinfo=timezone(timedelta(hours=2)))

    assert MOMENT.store(value) == {"S": "2026-01-31T10:30:05.000000Z"}


def test_the_instant_is_kept_the_offset_is_not():
    value = datetime(2026, 1, 31, 12, 30, 5, 250, tzinfo=ZoneInfo("Europe/Berlin"))

    loaded = MOMENT.load(MOMENT.store(value))

    assert loaded == value
    assert loaded.utcoffset() == timedelta(0)


def test_naive_datetime_is_stored_the_same_without_z():
    assert MOMENT.store(datetime(2026, 1, 31, 12, 30, 5, 250)) == {"S": "2026-01-31T12:30:05.000250"}


@given(aware)
def test_any_aware_instant_comes_back(value):
    MOMENT.check_round_trip(value)
    assert MOMENT.store(value) == {"S": canonical(value)}


@given(naive)
def test_any_naive_datetime_comes_back(value):
    MOMENT.check_round_trip(value)
    assert MOMENT.store(value) == {"S": value.isoformat(timespec="microseconds")}
    assert MOMENT.load(MOMENT.store(value)).tzinfo is None


@given(aware, aware)
def test_stored_texts_sort_as_the_instants_do(left, right):
    texts = MOMENT.store(left)["S"], MOMENT.store(right)["S"]

    assert (texts[0] < texts[1]) == (left < right)


@pytest.mark.parametrize(
    "value",
    [
        FIRST.replace(tzinfo=timezone(timedelta(hours=1))),
        LAST.replace(tzinfo=timezone(timedelta(hours=-1))),
    ],
)
def test_an_instant_outside_years_1_to_9999_in_utc_is_an_error_naming_the_field(value):
    assert MOMENT.refusal_to_store(value)["loc"] == ("value",)


@pytest.mark.parametrize("value", [FIRST, LAST, FIRST.replace(tzinfo=UTC), LAST.replace(tzinfo=UTC)])
def test_the_ends_of_the_calendar_come_back(value):
    MOMENT.check_round_trip(value)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31T12:30:05Z",
        "2026-01-31T12:30:05.25Z",
        "2026-01-31T12:30:05.250000+02:00",
        "2026-01-31T12:30:05.250000-00:30",
        "2026-01-31 12:30:05",
        "2026-01-31T12:30",
        "2026-01-31T12:30:05z",
        "2026-01-31T12:30:05+0200",
        "2026-01-31",
        "1700000000",
    ],
)
def test_reading_accepts_every_form_pydantic_does(text):
    loaded = MOMENT.load({"S": text})
    expected = TypeAdapter(datetime).validate_json(json.dumps(text))

    assert loaded == expected
    assert loaded.utcoffset() == expected.utcoffset()


@pytest.mark.parametrize("text", ["", "soon", "2026-02-30T00:00:00.000000Z", "2026-01-31T25:00:00.000000Z"])
def test_text_that_is_no_datetime_is_refused_with_its_path(text):
    assert MOMENT.refusal({"S": text})["loc"] == ("value",)


@pytest.mark.parametrize("attribute", [{"NULL": True}, {"L": []}, {"M": {}}, {"BOOL": True}])
def test_another_type_on_the_wire_is_refused_with_its_path(attribute):
    assert MOMENT.refusal(attribute)["loc"] == ("value",)


@pytest.mark.parametrize("value", ["2026-01-31T12:30:05Z", None, 5])
def test_another_type_in_an_instance_is_refused_with_its_path(value):
    assert MOMENT.refusal_to_store(value)["loc"] == ("value",)


def test_awareness_holds_for_stored_text_as_for_pydantic():
    assert Field(AwareDatetime).refusal({"S": "2026-01-31T12:30:05.000000"})["loc"] == ("value",)
    assert Field(NaiveDatetime).refusal({"S": "2026-01-31T12:30:05.000000Z"})["loc"] == ("value",)
    Field(AwareDatetime).check_round_trip(datetime(2026, 1, 31, tzinfo=UTC))
    Field(NaiveDatetime).check_round_trip(datetime(2026, 1, 31))


def test_bounds_hold_for_stored_text_as_for_pydantic():
    bound = datetime(2026, 1, 31, tzinfo=UTC)
    texts = [canonical(bound + timedelta(microseconds=distance)) for distance in (-1, 0, 1)]
    for constraint in (Constrained(gt=bound), Constrained(ge=bound), Constrained(lt=bound), Constrained(le=bound)):
        for text in texts:
            Field(Annotated[datetime, constraint]).check_against_pydantic({"S": text}, text)
    assert Field(PastDatetime).refusal({"S": "9000-01-01T00:00:00.000000Z"})["type"] == "datetime_past"
    assert Field(FutureDatetime).refusal({"S": "2000-01-01T00:00:00.000000Z"})["type"] == "datetime_future"


def test_a_tzinfo_that_is_python_code_is_asked():
    class Fixed(tzinfo):
        def utcoffset(self, _):
            return timedelta(hours=3)

    assert MOMENT.store(datetime(2026, 1, 31, 12, tzinfo=Fixed())) == {"S": "2026-01-31T09:00:00.000000Z"}


def test_epoch_is_stored_as_n_seconds():
    assert SECONDS.store(datetime(2026, 1, 31, tzinfo=UTC)) == {"N": "1769817600"}
    assert SECONDS.store(datetime(2026, 1, 31, 0, 0, 0, 500_000, tzinfo=UTC)) == {"N": "1769817600.5"}


@given(aware)
def test_epoch_is_exact_to_the_microsecond(value):
    SECONDS.check_round_trip(value)
    micros = (value - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert Decimal(SECONDS.store(value)["N"]) == Decimal(micros).scaleb(-6)
    assert SECONDS.load(SECONDS.store(value)).utcoffset() == timedelta(0)


@given(aware.map(lambda value: value.replace(microsecond=value.microsecond // 1000 * 1000)))
def test_epoch_in_milliseconds_is_integral(value):
    MILLISECONDS.check_round_trip(value)
    micros = (value - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert MILLISECONDS.store(value) == {"N": str(micros // 1000)}


def test_a_remainder_of_a_millisecond_is_an_error_naming_the_field():
    value = datetime(2026, 1, 31, 0, 0, 0, 1, tzinfo=UTC)

    assert MILLISECONDS.refusal_to_store(value)["loc"] == ("value",)


def test_small_numbers_are_seconds_and_milliseconds_as_the_marker_says():
    assert SECONDS.load({"N": "5"}) == datetime(1970, 1, 1, 0, 0, 5, tzinfo=UTC)
    assert MILLISECONDS.load({"N": "5"}) == datetime(1970, 1, 1, 0, 0, 0, 5000, tzinfo=UTC)
    assert SECONDS.load({"N": "99999999999"}) == datetime(5138, 11, 16, 9, 46, 39, tzinfo=UTC)


@pytest.mark.parametrize("text", ["1e18", "-1e18", "x", "0.0000001"])
def test_numbers_that_are_no_instant_are_refused_with_their_path(text):
    assert SECONDS.refusal({"N": text})["loc"] == ("value",)


@pytest.mark.parametrize("field", [SECONDS, MILLISECONDS, EXPIRY], ids=["Epoch", 'Epoch("ms")', "TTL"])
def test_naive_values_are_refused_in_epoch_and_ttl(field):
    assert field.refusal_to_store(datetime(2026, 1, 31))["loc"] == ("value",)


@given(aware)
def test_ttl_is_stored_as_whole_seconds_rounded_up(value):
    micros = (value - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)

    assert EXPIRY.store(value) == {"N": str(-(-micros // 1_000_000))}
    assert timedelta(0) <= EXPIRY.load(EXPIRY.store(value)) - value < timedelta(seconds=1)


def test_an_int_field_of_ttl_or_epoch_is_stored_as_it_is():
    assert Field(Annotated[int, TTL]).store(5) == {"N": "5"}
    assert Field(Annotated[int, Epoch]).store(5) == {"N": "5"}


def test_epoch_holds_anywhere_in_a_type():
    moments = Field(list[Annotated[datetime, Epoch]])

    assert moments.store([datetime(1970, 1, 1, 0, 0, 5, tzinfo=UTC)]) == {"L": [{"N": "5"}]}
    assert Field(Annotated[datetime, Epoch] | None, None).store(datetime(1970, 1, 1, tzinfo=UTC)) == {"N": "0"}
    assert Field(Annotated[datetime | None, TTL], None).store(None) is None


def test_epoch_on_another_type_is_refused_when_compiled():
    with pytest.raises(SchemaError, match=r"Holder\.value"):
        Field(Annotated[str, Epoch])


# With its offset


def test_a_datetime_keeps_its_offset_where_asked_for():
    value = datetime(2026, 1, 31, 12, 30, tzinfo=timezone(timedelta(hours=2)))
    field = Field(Annotated[datetime, Attribute(utc=False)])

    assert field.store(value) == {"S": "2026-01-31T12:30:00.000000+02:00"}
    assert field.load(field.store(value)).utcoffset() == timedelta(hours=2)
    assert Field(list[Annotated[datetime, Attribute(utc=False)]]).store([value]) == {"L": [field.store(value)]}


@given(aware)
def test_any_datetime_with_an_offset_of_minutes_comes_back_with_it(value):
    field = Field(Annotated[datetime, Attribute(utc=False)])

    loaded = field.load(field.store(value))

    assert (loaded, loaded.utcoffset()) == (value, value.utcoffset())


@pytest.mark.parametrize("role", [PartitionKey, Index("by_value", partition=True), Epoch, TTL], ids=repr)
def test_a_datetime_that_keeps_its_offset_is_no_key_and_no_number(role):
    with pytest.raises(SchemaError, match=r"utc=False"):
        Field(Annotated[datetime, role, Attribute(utc=False)])


def test_utc_on_another_type_is_refused_when_compiled():
    with pytest.raises(SchemaError, match=r"Holder\.value: Attribute\(utc=False\) is for datetime"):
        Field(Annotated[str, Attribute(utc=False)])


# Datetimes of every kind


seconds_offsets = st.integers(-86_399_999_999, 86_399_999_999).map(
    lambda micros: timezone(timedelta(microseconds=micros))
)


@given(st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=seconds_offsets))
def test_an_offset_of_seconds_or_microseconds_is_taken_into_account(value):
    assert MOMENT.store(value) == {"S": canonical(value)}
    MOMENT.check_round_trip(value)
    SECONDS.check_round_trip(value)


def test_an_offset_of_seconds_cannot_be_kept():
    value = datetime(1900, 1, 1, tzinfo=timezone(timedelta(hours=1, seconds=1)))

    error = Field(Annotated[datetime, Attribute(utc=False)]).refusal_to_store(value)

    assert error["loc"] == ("value",)
    assert "whole minutes" in error["msg"]


def test_fold_tells_the_two_instants_of_one_wall_time():
    berlin = ZoneInfo("Europe/Berlin")
    first = datetime(2026, 10, 25, 2, 30, tzinfo=berlin)
    second = first.replace(fold=1)

    assert MOMENT.store(first) == {"S": "2026-10-25T00:30:00.000000Z"}
    assert MOMENT.store(second) == {"S": "2026-10-25T01:30:00.000000Z"}
    for field in (MOMENT, SECONDS, Field(Annotated[datetime, Attribute(utc=False)])):
        for value in (first, second):
            assert field.load(field.store(value)).timestamp() == value.timestamp()


def test_fold_of_a_naive_value_is_not_stored():
    value = datetime(2026, 10, 25, 2, 30, fold=1)

    assert MOMENT.store(value) == {"S": "2026-10-25T02:30:00.000000"}
    assert MOMENT.load(MOMENT.store(value)) == value


def test_a_wall_time_that_never_was_is_the_instant_that_python_says():
    value = datetime(2026, 3, 29, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"))

    assert MOMENT.store(value) == {"S": canonical(value)}


@pytest.mark.parametrize(
    "zone",
    [timezone(timedelta(hours=14)), timezone(timedelta(hours=-12)), timezone(timedelta(hours=23, minutes=59))],
    ids=str,
)
def test_min_and_max_are_stored_where_their_instants_are_in_years_1_to_9999(zone):
    east = zone.utcoffset(None) > timedelta(0)
    inside, outside = (LAST, FIRST) if east else (FIRST, LAST)

    for field in (MOMENT, SECONDS, Field(Annotated[datetime, Attribute(format="offset")])):
        field.check_round_trip(inside.replace(tzinfo=zone))
        error = field.refusal_to_store(outside.replace(tzinfo=zone))
        assert (error["loc"], error["type"]) == (("value",), "datetime_range")
    kept = Field(Annotated[datetime, Attribute(utc=False)])
    for value in (inside, outside):
        assert kept.load(kept.store(value.replace(tzinfo=zone))).replace(tzinfo=None) == value


class Undecided(tzinfo):
    """It does not know the offset: such a value is naive, as Python has it."""

    def utcoffset(self, _):
        return None


def test_a_timezone_without_an_offset_is_naive():
    value = datetime(2026, 1, 31, 12, tzinfo=Undecided())

    assert MOMENT.store_instance(MOMENT.model.model_construct(value=value)) == {"S": "2026-01-31T12:00:00.000000"}
    assert SECONDS.refusal_to_store(value)["type"] == "timezone_aware"
    assert Field(Annotated[datetime, PartitionKey]).refusal_to_store(value)["type"] == "timezone_aware"


def test_an_error_in_a_timezone_passes_as_it_is():
    class Broken(tzinfo):
        def utcoffset(self, _):
            raise LookupError("no such place")

    with pytest.raises(LookupError, match="no such place"):
        MOMENT.store(datetime(2026, 1, 31, tzinfo=Broken()))


class Moment(datetime):
    """As pendulum's and arrow's: a subclass with ways of its own to print and to compute."""

    def __str__(self):
        return "a moment"

    def isoformat(self, *_, **__):
        return "a moment"

    def __add__(self, _):
        raise NotImplementedError

    def astimezone(self, *_):
        raise NotImplementedError


@given(aware | naive)
def test_a_subclass_is_stored_by_what_it_is(value):
    moment = Moment(*value.timetuple()[:6], value.microsecond, tzinfo=value.tzinfo, fold=value.fold)

    for field in (MOMENT, Field(Annotated[datetime, Attribute(format="offset")])):
        assert field.store_instance(field.model.model_construct(value=moment)) == field.store(value)


wholes = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=seconds_offsets).map(
    lambda value: value.replace(microsecond=0)
)


@pytest.mark.parametrize(
    "annotation",
    [
        datetime,
        AwareDatetime,
        Annotated[datetime, Attribute(format="offset")],
        Annotated[datetime, Attribute(format="seconds")],
        Annotated[datetime, Epoch],
        Annotated[datetime, TTL],
    ],
    ids=["utc", "aware", "offset", "seconds", "epoch", "ttl"],
)
@given(values=st.lists(wholes, min_size=2, max_size=6))
def test_what_is_stored_sorts_as_the_instants_do_in_every_form(annotation, values):
    field = Field(Annotated[annotation, PartitionKey])

    def sort_key(value):
        # A key that is stored as N is sorted as a number, one that is stored as S by its bytes.
        [(tag, text)] = field.store_instance(field.model.model_construct(value=value)).items()
        return Decimal(text) if tag == "N" else text.encode()

    # Whole seconds of UTC need an offset of whole seconds.
    values = [value.astimezone(UTC).replace(microsecond=0) for value in values]
    assert sorted(values, key=sort_key) == sorted(values)
    assert len({sort_key(value) for value in values}) == len(set(values))


@pytest.mark.parametrize("annotation", [NaiveDatetime, Annotated[NaiveDatetime, Attribute(format="seconds")]])
@given(values=st.lists(naive.map(lambda value: value.replace(microsecond=0)), min_size=2, max_size=6))
def test_naive_texts_sort_as_wall_times_do(annotation, values):
    field = Field(Annotated[annotation, PartitionKey])

    assert sorted(values, key=lambda value: field.store(value)["S"]) == sorted(values)

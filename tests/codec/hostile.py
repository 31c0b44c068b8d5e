"""Hostile items: models of every shape, a mutator that knows the form of items, and what holds for any bytes.

`check` is what must hold: the decoders read the bytes or refuse them with `InvalidItem`, both decoders alike, and what
they read is written and read again the same. `test_hostile_corpus.py` runs it for a moment on a fixed seed. For longer:

    python -m tests.codec.hostile --seconds 600 --seed 7

`make fuzz` does the same guided by coverage (see `fuzz.py`). What is found is printed and written to `tests/codec/corpus/`, one file a finding, named after the shape; every file there
is replayed by the tests.
"""

import argparse
import base64
import dataclasses
import hashlib
import json
import random
import re
import time as clock
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from ipaddress import IPv4Address, IPv6Network
from pathlib import Path
from re import Pattern
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    AnyUrl,
    Base64Str,
    BaseModel,
    BeforeValidator,
    ByteSize,
    ConfigDict,
    Discriminator,
    Field,
    Json,
    PlainSerializer,
    PlainValidator,
    PostgresDsn,
    SecretStr,
    ValidationInfo,
    WrapValidator,
    field_validator,
    model_validator,
)
from typing_extensions import NotRequired, Self, TypedDict

from oxidyn import TTL, Attribute, Epoch, InvalidItem, ItemAdapter
from tests.codec.strategies import Box, Cat, Colour, Dog, Level, Mixed, Numbers, Tree

CORPUS = Path(__file__).parent / "corpus"
T = TypeVar("T")


class Scalars(BaseModel):
    text: str
    number: int
    fraction: float
    exact: Decimal
    flag: bool
    raw: bytes
    moment: datetime
    epoch: Annotated[datetime, Epoch]
    millis: Annotated[datetime, Epoch("ms")]
    expires: Annotated[datetime, TTL]
    kept: Annotated[datetime, Attribute(utc=False)]
    day: date
    clock: time
    span: timedelta
    identifier: UUID
    colour: Colour
    level: Level
    mixed: Mixed
    kind: Literal["a", 1]
    nothing: None = None
    note: str | None = None


class Constrained(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", serialize_by_alias=True)

    short: str = Field(min_length=1, max_length=3, pattern="^[a-z]+$", alias="Short")
    small: int = Field(ge=0, lt=10, multiple_of=3)
    price: Decimal = Field(max_digits=5, decimal_places=2)
    few: list[int] = Field(min_length=1, max_length=2)
    tags: set[Annotated[str, Field(max_length=2)]] = Field(max_length=2)
    moment: datetime | None = None


@dataclasses.dataclass
class Point:
    x: int
    y: float = 0.5


class Note(TypedDict):
    text: str
    more: NotRequired[int]


class Line(BaseModel):
    sku: str
    count: int = 1
    point: Point | None = None


class Collections(BaseModel):
    lines: list[Line]
    pair: tuple[str, int]
    many: tuple[float, ...]
    texts: set[str]
    numbers: frozenset[int]
    raws: set[bytes]
    flags: set[bool]
    days: set[date]
    table: dict[str, list[int]]
    by_day: dict[date, int]
    by_number: dict[int, str]
    by_colour: dict[Colour, Level]
    note: Note
    box: Box[int]
    tree: Tree


class Unions(BaseModel):
    one: int | str | None
    number: int | float | Decimal
    text: UUID | date | datetime | str
    pet: Annotated[Cat | Dog, Discriminator("kind")]
    smart: Cat | Dog | str
    lists: list[int] | list[str]
    choice: Colour | Literal["x", 5]
    untyped: Any
    plain: dict
    pets: list[Annotated[Cat | Dog, Discriminator("kind")]] = []


class Opaque(BaseModel):
    """What only Python can make, and what stands beside the fields."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, int | list[str]]

    address: IPv4Address
    network: IPv6Network
    path: Path
    pattern: Pattern[str]
    url: AnyUrl
    dsn: PostgresDsn
    part: Fraction
    wave: complex
    zone: ZoneInfo
    secret: Annotated[SecretStr, Attribute(plaintext=True)]
    size: ByteSize
    text: Json[list[int]]
    encoded: Base64Str
    root: Numbers
    addresses: set[IPv4Address]


def bare(value: Any) -> Any:
    """Undo the serializer."""
    return value.removesuffix("!") if isinstance(value, str) else value


def checked(value: Any) -> Any:
    if value in ("bad", 13):
        raise ValueError("no")
    return value


class Validated(BaseModel):
    """What only Python can check, at every place."""

    after: Annotated[int, AfterValidator(checked)]
    before: Annotated[list[Line], BeforeValidator(checked)]
    around: Annotated[dict[str, Decimal], WrapValidator(lambda value, handler: checked(handler(value)))]
    plain: Annotated[Any, PlainValidator(checked)]
    shown: Annotated[str, BeforeValidator(bare), PlainSerializer(lambda value: f"{value}!")]
    others: int = 0
    note: str | None = None

    @field_validator("others")
    @classmethod
    def is_less(cls, value: int, info: ValidationInfo) -> int:
        if value > info.data.get("after", 0):
            raise ValueError("more")
        return value

    @model_validator(mode="after")
    def is_whole(self) -> Self:
        checked(self.note)
        return self


class Around(BaseModel):
    """Models under validators of a model."""

    inner: Validated
    line: Line

    @model_validator(mode="before")
    @classmethod
    def see(cls, data: Any) -> Any:
        return data

    def model_post_init(self, context: Any) -> None:
        checked(self.line.sku)


class Older(BaseModel):
    """What it does not know it writes back."""

    id: str
    line: Line
    lines: list[Line] = []


class Keyed(BaseModel, Generic[T]):
    """Its keys stand in the item in their canonical form only."""

    day: T
    at: datetime
    value: str = ""


MOMENT = datetime(2026, 1, 31, 12, 30, tzinfo=timezone.utc)


class Shape:
    """A model's adapter, and an item to begin with."""

    def __init__(self, name: str, instance: Any, **options: Any) -> None:
        self.name = name
        self.adapter: ItemAdapter[Any] = ItemAdapter(type(instance), **options)
        self.seed = self.adapter.dump_wire(instance)


def shapes() -> Iterator[Shape]:
    yield Shape(
        "scalars",
        Scalars(
            text='grün"\n',
            number=10**30,
            fraction=0.1,
            exact=Decimal("1.5"),
            flag=True,
            raw=b"\x00\xff",
            moment=MOMENT,
            epoch=MOMENT,
            millis=MOMENT,
            expires=MOMENT,
            kept=MOMENT,
            day=MOMENT.date(),
            clock=time(12, 30, 1, 5),
            span=timedelta(seconds=1.5),
            identifier=UUID(int=2**127 + 5),
            colour=Colour.RED,
            level=Level.HIGH,
            mixed=Mixed.BYTES,
            kind=1,
            note="x",
        ),
    )
    yield Shape(
        "constrained",
        Constrained(Short="abc", small=3, price=Decimal("1.25"), few=[1], tags={"a"}, moment=MOMENT),
        unknown="error",
    )
    yield Shape(
        "collections",
        Collections(
            lines=[Line(sku="a", point=Point(1)), Line(sku="b")],
            pair=("a", 1),
            many=(1.5, -2e10),
            texts={"a", "b"},
            numbers=frozenset({1, 2}),
            raws={b"a"},
            flags={True},
            days={MOMENT.date()},
            table={"k": [1, 2]},
            by_day={MOMENT.date(): 1},
            by_number={-1: "a"},
            by_colour={Colour.RED: Level.LOW},
            note=Note(text="a", more=1),
            box=Box[int](content=1, more=[2]),
            tree=Tree(label="a", parts=[Tree(label="b")]),
        ),
        unset="skip",
    )
    yield Shape(
        "unions",
        Unions(
            one=1,
            number=0.5,
            text=UUID(int=1),
            pet=Dog(name="a"),
            smart=Cat(lives=1),
            lists=["a"],
            choice=5,
            untyped={"a": [1, 0.5, None, b"x", {"b": True}]},
            plain={"a": {"b"}},
            pets=[Cat()],
        ),
    )
    yield Shape(
        "opaque",
        Opaque(
            address=IPv4Address("192.0.2.1"),
            network=IPv6Network("2001:db8::/32"),
            path=Path("/etc/hosts"),
            pattern=re.compile("(?i)a+"),
            url=AnyUrl("https://example.com/a"),
            dsn=PostgresDsn("postgres://u:p@a:1,b:2/db"),
            part=Fraction(1, 3),
            wave=1.5 - 2j,
            zone=ZoneInfo("Europe/Berlin"),
            secret=SecretStr("s"),
            size=1536,
            text="[1, 2]",
            encoded="YWJj",
            root=Numbers([1]),
            addresses={IPv4Address("192.0.2.1")},
            more=5,
            texts=["a"],
        ),
    )
    validated = Validated(
        after=1,
        before=[Line(sku="a")],
        around={"a": Decimal("1.5")},
        plain=[1, "a"],
        shown="s",
        others=1,
        note="x",
    )
    yield Shape("validated", validated)
    yield Shape("validated, trusted", validated, load="trust")
    yield Shape("around", Around(inner=validated, line=Line(sku="a")))
    yield Shape("older", Older(id="a", line=Line(sku="a"), lines=[Line(sku="b")]), unknown="keep")
    yield Shape("keyed", Keyed[date](day=MOMENT.date(), at=MOMENT), partition="day", sort="at")
    yield Shape("keyed by number", Keyed[Decimal](day=Decimal("1.5"), at=MOMENT), partition="day", sort="at")
    yield Shape("keyed by uuid", Keyed[UUID](day=UUID(int=1), at=MOMENT), partition="day", sort="at")


SHAPES = {shape.name: shape for shape in shapes()}


# What must hold.


def check(shape: Shape, data: bytes) -> bool:
    """Whether the bytes are read; anything but reading them well or refusing them fails."""
    loaded = _read(shape.adapter.load_wire, data)
    try:
        item = json.loads(data, object_pairs_hook=_each_once, parse_constant=_refuse)
    except (ValueError, RecursionError):
        assert loaded is None or _is_json(data), "bytes that are no JSON were read"
        return loaded is not None
    from_dict = _read(shape.adapter.load_item, item)
    if not _is_item(item):
        # What is skipped is not looked into; DynamoDB sends nothing of the kind.
        return loaded is not None
    assert from_dict == loaded, "load_wire and load_item do not agree"
    if loaded is not None:
        _check_written_again(shape, loaded)
    return loaded is not None


def _check_written_again(shape: Shape, loaded: Any) -> None:
    try:
        written = shape.adapter.dump_wire(loaded)
    except InvalidItem as refusal:
        # Pydantic reads moments of the year 1 or 9999 that lie outside in UTC.
        assert {error["type"] for error in refusal.errors()} == {"datetime_range"}  # noqa: PT017
        return
    again = shape.adapter.load_wire(written)
    assert again == loaded, "what was read is not read again from what is written of it"
    assert type(again) is type(loaded)


def _read(load: Callable[[Any], Any], data: Any) -> Any:
    try:
        return load(data)
    except InvalidItem:
        return None


def _is_json(data: bytes) -> bool:
    try:
        # Text that is skipped is not looked into, so that it may be no UTF-8.
        json.loads(data.decode(errors="replace"))
    except ValueError:
        return False
    except RecursionError:
        pass
    return True


def _is_item(item: Any, levels: int = 31) -> bool:
    """Whether DynamoDB itself could send it, as far as its form goes."""
    if not isinstance(item, dict):
        return False
    return all(name and _is_text(name) and _is_value(value, levels) for name, value in item.items())


def _is_value(value: Any, levels: int = 31) -> bool:
    if levels < 0 or not isinstance(value, dict) or len(value) != 1:
        return False
    [(tag, content)] = value.items()
    match tag:
        case "S":
            return _is_text(content)
        case "N":
            return _is_number(content)
        case "B":
            return _is_base64(content)
        case "BOOL":
            return isinstance(content, bool)
        case "NULL":
            return content is True
        case "M":
            return _is_item(content, levels - 1)
        case "L":
            return isinstance(content, list) and all(_is_value(each, levels - 1) for each in content)
        case "SS" | "NS" | "BS":
            is_member = {"SS": _is_text, "NS": _is_number, "BS": _is_base64}[tag]
            return isinstance(content, list) and bool(content) and all(map(is_member, content))
        case _:
            return False


def _is_text(text: Any) -> bool:
    """DynamoDB's text is UTF-8: no half of a surrogate pair."""
    return isinstance(text, str) and re.search("[\ud800-\udfff]", text) is None


def _is_number(text: Any) -> bool:
    return isinstance(text, str) and re.fullmatch(r"-?(0|[1-9]\d{0,37})(\.\d{1,37})?", text, re.ASCII) is not None


def _is_base64(text: Any) -> bool:
    try:
        return isinstance(text, str) and base64.b64encode(base64.b64decode(text, validate=True)).decode() == text
    except ValueError:
        return False


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) < len(pairs):
        raise ValueError
    return dict(pairs)


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


# Changing items.

TAGS = ["S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"]
WORDS: list[Any] = [
    *("", "0", "-0", "1", "1.0", "1e3", "-1E-130", "9.9e125", "1e999", "1" * 38, "1" * 39, "0." + "0" * 50 + "1"),
    *("nan", "inf", "+5", " 5", "5 ", "0x1", "\u0661", "1_000", ".5", "5.", "1e", "--1", "1" * 5000),
    *("2026-01-31", "2026-01-31T12:30:00.000000Z", "2026-01-31T12:30:00+02:00", "0001-01-01T00:00:00+14:00"),
    *("9999-12-31T23:59:59.999999-14:00", "2026-02-30", "24:00:00", "12:30:00.000000+02:00", "P1DT1S", "-1"),
    *("00000000-0000-0000-0000-000000000001", "{00000000-0000-0000-0000-000000000001}", "red", "cat", "dog", "true"),
    *("YQ==", "YQ", "Y===", "ÿ", "\x00", "😀", "\ud800", "a" * 2000, "1769817600", "1769817600.123456", "253402300800"),
    *(True, False, None, 0, 1, -1, 1.5, 10**400, [], {}, [[]], {"S": "a"}, ["a", "a"], ["1", "1.0"], [None], ["", ""]),
]
BYTES = [
    *(b'"', b"{", b"}", b"[", b"]", b",", b":", b"\\", b"\\u", b"\\ud800", b"\\u0000", b"\x00", b"\xff", b"\xc3", b" "),
    *(
        b"null",
        b"true",
        b'{"S":',
        b'{"N":"',
        b'{"M":{',
        b'{"L":[',
        b'"}',
        b'{"NULL":true}',
        b"1e999",
        b"-",
        b"\n",
        b"0",
    ),
    *(b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xef\xbb\xbf", b"//", b"/**/"),
]


def mutate(data: bytes, chance: random.Random) -> bytes:
    """Change an item once or a few times: by its form where it still has one, else by its bytes."""
    for _ in range(chance.choice([1, 1, 1, 2, 3, 5])):
        if chance.random() < 0.7:
            try:
                item = json.loads(data)
            except (ValueError, RecursionError):
                data = _mutate_bytes(data, chance)
            else:
                _mutate_form(item, chance)
                data = json.dumps(item, separators=chance.choice([(",", ":"), (", ", ": ")])).encode()
        else:
            data = _mutate_bytes(data, chance)
    return data


def _mutate_form(item: Any, chance: random.Random) -> None:
    containers = list(_containers(item))
    if not containers:
        return
    container = chance.choice(containers)
    keys: list[Any] = list(range(len(container))) if isinstance(container, list) else list(container)
    if not keys or chance.random() < 0.15:
        _add(container, chance)
        return
    key = chance.choice(keys)
    match chance.randrange(6):
        case 0:
            del container[key]
        case 1:
            container[key] = chance.choice(WORDS)
        case 2:
            container[key] = {chance.choice(TAGS): chance.choice(WORDS)}
        case 3:
            # What stands elsewhere in the item, by value: no cycles.
            other = json.dumps(chance.choice(containers))
            container[key] = json.loads(other) if len(other) < 5000 else None
        case 4:
            for _ in range(chance.choice([1, 2, 31, 33, 40])):
                container[key] = {"L": [container[key]]} if chance.random() < 0.5 else {"M": {"a": container[key]}}
        case _ if isinstance(container, dict) and key in TAGS:
            container[chance.choice(TAGS)] = container.pop(key)
        case _:
            pass


def _add(container: Any, chance: random.Random) -> None:
    value = chance.choice(WORDS) if chance.random() < 0.5 else {chance.choice(TAGS): chance.choice(WORDS)}
    if isinstance(container, list):
        container.append(value)
    else:
        container[chance.choice(TAGS) if chance.random() < 0.3 else str(chance.choice(WORDS))] = value


def _containers(value: Any) -> Iterator[Any]:
    open_ = [value]
    while open_:
        value = open_.pop()
        if isinstance(value, dict | list):
            yield value
            open_.extend(value.values() if isinstance(value, dict) else value)


def _mutate_bytes(data: bytes, chance: random.Random) -> bytes:
    at = chance.randint(0, len(data))
    to = min(len(data), at + chance.choice([0, 1, 1, 2, 5, 20]))
    match chance.randrange(5):
        case 0:
            return data[:at] + chance.choice(BYTES) + data[to:]
        case 1:
            return data[:at] + data[to:]
        case 2:
            return data[:at]
        case 3:
            return data[:at] + bytes([chance.randrange(256)]) + data[to:]
        case _:
            return data[:at] + data[at:to] * chance.choice([2, 3, 100]) + data[to:]


def inputs(shape: Shape, chance: random.Random) -> Iterator[bytes]:
    """Items changed more and more: what was read becomes the next one to change, now and then."""
    pool = [shape.seed]
    while True:
        data = mutate(chance.choice(pool) if chance.random() < 0.3 else shape.seed, chance)
        yield data
        if len(data) < 20_000 and chance.random() < 0.02:
            pool = [*pool[-20:], data]


# The corpus.


def corpus() -> list[Path]:
    return sorted(CORPUS.glob("*.txt"))


def replay(path: Path) -> bool:
    """Check one file: the name of a shape, a line break, and bytes in base64."""
    name, _, text = path.read_text().partition("\n")
    return check(SHAPES[name], base64.b64decode(text))


def keep(shape: Shape, data: bytes) -> Path:
    CORPUS.mkdir(exist_ok=True)
    path = CORPUS / f"{shape.name.replace(' ', '-')}-{hashlib.sha256(data).hexdigest()[:12]}.txt"
    path.write_text(f"{shape.name}\n{base64.b64encode(data).decode()}\n")
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description="Feed hostile bytes to the decoders.")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--shape", choices=SHAPES, action="append")
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    sources = {name: inputs(SHAPES[name], chance) for name in arguments.shape or SHAPES}
    tried, read, found, slowest = 0, 0, 0, 0.0
    end = clock.monotonic() + arguments.seconds
    while clock.monotonic() < end:
        for name, source in sources.items():
            data = next(source)
            tried += 1
            start = clock.monotonic()
            try:
                read += check(SHAPES[name], data)
            # A panic of the core's is no Exception.
            except BaseException as finding:
                if isinstance(finding, KeyboardInterrupt):
                    raise
                found += 1
                print(f"{keep(SHAPES[name], data)}: {type(finding).__name__}: {str(finding)[:300]}")  # noqa: T201
            slowest = max(slowest, clock.monotonic() - start)
    print(f"{tried} items, {read} read, {found} findings, slowest {slowest * 1000:.0f} ms")  # noqa: T201


if __name__ == "__main__":
    main()

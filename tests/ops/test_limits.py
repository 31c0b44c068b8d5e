"""DynamoDB's limits: told before anything is sent, and just where the judges draw them."""

from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any

import pytest
from boto3.dynamodb.types import Binary
from pydantic import BaseModel, create_model

from oxidyn import (
    Attribute,
    Client,
    Epoch,
    Include,
    Index,
    InvalidExpression,
    InvalidItem,
    InvalidKey,
    InvalidOption,
    ItemAdapter,
    ItemTooLarge,
    Model,
    PartitionKey,
    SchemaError,
    ServiceError,
    SortKey,
    UnsupportedTypeError,
    attr,
    item_size,
)

MOST = 409_600


class Text(Model, table="texts"):
    id: Annotated[str, PartitionKey]
    text: str = ""
    note: str = ""


def of_size(size: int) -> Text:
    item = Text(id="a", text="x" * (size - len("id") - len("a") - len("text") - len("note")))
    assert item_size(item).bytes == size
    return item


@pytest.fixture
def texts(client: Client, table_name: str) -> Any:
    table = client.table(Text, name=table_name)
    table.create_table()
    return table


# ---- 400 KB ----


@pytest.mark.parametrize("size", [399_999, MOST - 1, MOST])
@pytest.mark.parametrize("engine", ["embedded"], indirect=True)
def test_an_item_of_400_kb_is_stored(texts: Any, size: int):
    texts.put(of_size(size))
    texts.create(Text(id="b"))
    texts.batch_put([of_size(size)])

    assert len(texts.get("a").text) == size - 11


@pytest.mark.parametrize("engine", ["moto"], indirect=True)
def test_an_item_of_400_kb_is_stored_by_moto_as_far_as_it_takes_one(texts: Any):
    # Moto draws its own line, at 405,000 bytes.
    texts.put(of_size(399_999))
    with pytest.raises(ServiceError):
        texts.put(of_size(MOST))


@pytest.mark.parametrize("engine", ["embedded"], indirect=True)
def test_the_engine_draws_the_line_where_item_size_does(texts: Any):
    texts.put(of_size(MOST - 10))

    texts.update("a", attr(Text.note).set("x" * 10))
    with pytest.raises(ServiceError, match="400 KB"):
        texts.update("a", attr(Text.note).set("x" * 11))


@pytest.mark.parametrize("size", [MOST + 1, 1_000_000, 5_000_000])
@pytest.mark.parametrize("write", ["put", "create", "batch_put"])
def test_an_item_over_400_kb_is_refused_before_it_is_sent(texts: Any, write: str, size: int):
    item = of_size(size)

    with pytest.raises(ItemTooLarge, match=rf"The item has {size} bytes.* text \({size - 7} bytes\)") as caught:
        getattr(texts, write)([item] if write == "batch_put" else item)

    assert caught.value.size == size
    assert caught.value.heaviest == (("text", size - 7), ("note", 4), ("id", 3))
    assert caught.value.table == texts.name
    assert caught.value.key == item
    assert texts.get("a") is None


def test_an_update_that_would_make_the_item_larger_is_refused_in_words_about_its_size(texts: Any):
    texts.put(Text(id="a"))

    with pytest.raises(ServiceError, match=r"the item would have more than 400 KB with it.*Store less") as caught:
        texts.update("a", attr(Text.text).set("x" * MOST))

    assert caught.value.code == "ValidationException"
    assert "if_not_exists" not in str(caught.value)


def test_an_item_whose_json_is_long_but_whose_size_is_not_is_sent(texts: Any):
    texts.put(Text(id="a", text='"' * 390_000))

    assert texts.get("a").text == '"' * 390_000


def test_the_message_names_the_parts_that_weigh_most():
    class Big(Model, table="bigs"):
        id: Annotated[str, PartitionKey]
        pages: dict[str, str]

    table = Client.local().table(Big)

    with pytest.raises(ItemTooLarge, match=r"pages \(\d+ bytes\), pages\.second \(300007 bytes\), pages\.first"):
        table.ops.put(Big(id="a", pages={"first": "x" * 200_000, "second": "y" * 300_000}))


# ---- keys ----


class Keyed(Model, table="keyed"):
    org: Annotated[str, PartitionKey]
    id: Annotated[bytes, SortKey]
    email: Annotated[str | None, Index("by_email", partition=True)] = None
    city: Annotated[str | None, Index("by_email", sort=True), Index("by_city", partition=True)] = None


@pytest.fixture
def keyed(client: Client, table_name: str) -> Any:
    table = client.table(Keyed, name=table_name)
    table.create_table()
    return table


LONGEST = Keyed(org="ü" * 1024, id=b"\0" * 1024, email="e" * 2048, city="c" * 1024)


def test_keys_of_2048_and_1024_bytes_are_stored(keyed: Any):
    keyed.put(LONGEST)

    assert keyed.get(LONGEST.org, LONGEST.id) == LONGEST
    assert keyed.query(Keyed.org == LONGEST.org).one() == LONGEST
    assert keyed.query(Keyed.email == LONGEST.email, index="by_email").one() == LONGEST


@pytest.mark.parametrize(
    ("field", "value", "part", "most"),
    [
        ("org", "ü" * 1024 + "x", "partition", 2048),
        ("id", b"\0" * 1025, "sort", 1024),
        ("email", "e" * 2049, "partition", 2048),
        # It is a sort key too, so that limit counts.
        ("city", "c" * 1025, "sort", 1024),
    ],
)
def test_a_longer_key_is_refused_with_its_path_its_length_and_the_limit(keyed: Any, field, value, part, most):
    item = LONGEST.model_copy(update={field: value})
    told = f"expected at most {most} bytes in a {part} key, found {most + 1}"

    for write in (keyed.put, keyed.create, lambda item: keyed.batch_put([item]), ItemAdapter(Keyed).dump_wire):
        with pytest.raises(InvalidItem, match=told) as caught:
            write(item)
        assert caught.value.errors()[0]["loc"] == (field,)
        assert caught.value.errors()[0]["type"] == "key_length"
    assert list(keyed.scan()) == []


def test_a_longer_key_is_refused_where_only_the_key_is_given(keyed: Any):
    long = "x" * 2049

    for call in (
        lambda: keyed.get(long, b"a"),
        lambda: keyed.delete(long, b"a"),
        lambda: keyed.update((long, b"a"), attr(Keyed.email).set("e")),
        lambda: keyed.batch_get([(long, b"a")]),
        lambda: keyed.batch_delete([(long, b"a")]),
    ):
        with pytest.raises(InvalidKey, match=r"org: expected at most 2048 bytes in a partition key, found 2049"):
            call()


def test_a_longer_key_is_refused_in_conditions_and_updates(keyed: Any):
    long = b"x" * 1025

    for condition in (
        Keyed.id == long,
        Keyed.id > long,
        attr(Keyed.id).between(b"a", long),
        attr(Keyed.id).begins_with(long),
    ):
        with pytest.raises(InvalidItem, match="expected at most 1024 bytes in a sort key, found 1025"):
            keyed.query((Keyed.org == "a") & condition).first()
    with pytest.raises(InvalidItem, match="expected at most 2048 bytes in a partition key, found 3000"):
        keyed.update(("a", b"a"), attr(Keyed.email).set("e" * 3000))


@pytest.mark.parametrize("engine", ["moto"], indirect=True)
def test_boto3_and_moto_draw_the_lines_of_keys_alike(keyed: Any, boto3_client: Any):
    adapter = ItemAdapter(Keyed)
    longest: Any = adapter.dump_item(LONGEST)

    boto3_client.put_item(TableName=keyed.name, Item=longest)
    for name, attribute in (("org", {"S": "x" * 2049}), ("id", {"B": Binary(b"x" * 1025).value})):
        with pytest.raises(boto3_client.exceptions.ClientError, match="exceeded"):
            boto3_client.put_item(TableName=keyed.name, Item={**longest, name: attribute})


def test_numbers_in_keys_are_never_too_long():
    class Numbered(Model, table="numbered"):
        id: Annotated[int, PartitionKey]

    adapter = ItemAdapter(Numbered)
    item = Numbered(id=-(10**126 - 10**88))

    assert adapter.load_wire(adapter.dump_wire(item)) == item


# ---- names ----


def named(name: str, *markers: Any) -> Any:
    stored: Any = Annotated[str | None, Attribute(name=name)]
    for marker in markers:
        stored = Annotated[stored, marker]
    return create_model("Named", id=(Annotated[str, PartitionKey], ...), value=(stored, None))


def test_an_attributes_name_has_at_most_65535_bytes():
    # The limit of items leaves room for it.
    longest = named("n" * 65_535)
    assert item_size(longest(id="a", value="b")).bytes == 65_535 + 1 + 3

    with pytest.raises(SchemaError, match=r"Named\.value: an attribute's name has 1 to 65535 bytes.* has 65536"):
        ItemAdapter(named("ü" * 32_768))


def test_the_name_of_a_key_has_at_most_255_bytes():
    ItemAdapter(named("n" * 255, Index("by_value", partition=True)))
    ItemAdapter(named("n" * 256))

    with pytest.raises(SchemaError, match=r"Named\.value: .*at most 255 bytes, and the stored name has 256"):
        ItemAdapter(named("n" * 256, Index("by_value", partition=True)))


def test_the_name_of_an_attribute_that_an_index_includes_has_at_most_255_bytes():
    def create_table(length: int) -> Any:
        class Projected(Model, table="projected", indexes={"by_city": Include("note")}):
            id: Annotated[str, PartitionKey]
            city: Annotated[str, Index("by_city", partition=True)]
            note: Annotated[str, Attribute(name="n" * length)]

        return Client.local().table(Projected).create_table()

    create_table(255)
    with pytest.raises(SchemaError, match=r"Projected\.note: .*at most 255 bytes, and the stored name has 256"):
        create_table(256)


@pytest.mark.parametrize("annotation", [dict[str, int], dict, Any, dict[Any, int]])
def test_a_key_of_a_map_has_at_most_65535_bytes(annotation):
    class Mapped(BaseModel):
        value: annotation

    adapter = ItemAdapter(Mapped)
    longest = Mapped(value={"ü" * 32_767 + "x": 1})
    assert adapter.load_wire(adapter.dump_wire(longest)) == longest

    with pytest.raises(InvalidItem, match="expected a key of at most 65535 bytes, found 65536") as caught:
        adapter.dump_wire(Mapped(value={"ü" * 32_768: 1}))
    assert caught.value.errors()[0]["loc"][0] == "value"


# ---- text ----


class Note(Model, table="notes"):
    id: Annotated[str, PartitionKey]
    text: str | None = None
    blob: bytes = b""


@pytest.fixture
def notes(client: Client, table_name: str) -> Any:
    table = client.table(Note, name=table_name)
    table.create_table()
    return table


@pytest.mark.parametrize("text", ["\0", "a\0b", "\x00" * 40, "\x7f\x1f\u2028\ufeff", "", "𝄞 grün", "\ue000"])
def test_nul_and_control_characters_inside_text_come_back(notes: Any, text: str):
    item = Note(id=f"key{text}", text=text, blob=text.encode())

    notes.put(item)

    assert notes.get(item.id) == item
    assert [found.text for found in notes.scan(where=Note.text == text)] == [text]


def test_a_lone_surrogate_is_refused_in_values_and_keys(notes: Any):
    with pytest.raises(InvalidItem, match="lone surrogate"):
        notes.put(Note.model_construct(id="a", text="\ud800"))
    with pytest.raises(InvalidItem, match="lone surrogate"):
        notes.put(Note.model_construct(id="\udfff"))
    with pytest.raises(InvalidKey):
        notes.get("\ud800")


def test_a_string_of_a_megabyte_is_refused_by_its_size_and_read_where_it_is_stored(notes: Any):
    item = Note(id="a", text="x" * 1_000_000)
    adapter = ItemAdapter(Note)

    with pytest.raises(ItemTooLarge):
        notes.put(item)
    assert adapter.load_wire(adapter.dump_wire(item)) == item


# ---- 32 levels ----


class Nested(Model, table="nested"):
    id: Annotated[str, PartitionKey]
    value: Any = None


def nested(levels: int, make: Any, value: Any = "x") -> Any:
    for _ in range(levels):
        value = make(value)
    return value


@pytest.mark.parametrize("make", [lambda inner: [inner], lambda inner: {"a": inner}], ids=["lists", "maps"])
def test_a_value_inside_31_lists_or_maps_is_stored_and_inside_32_is_refused(client: Client, table_name: str, make: Any):
    table = client.table(Nested, name=table_name)
    table.create_table()
    deepest = Nested(id="a", value=nested(31, make))

    table.put(deepest)

    assert table.get("a") == deepest
    with pytest.raises(InvalidItem, match="32 levels"):
        table.put(Nested(id="a", value=nested(32, make)))


def typed(levels: int) -> Any:
    leaf: Any = str | list[str]
    for _ in range(levels):
        leaf = list[leaf]
    return leaf


@pytest.mark.parametrize("levels", [30, 31])
def test_an_update_counts_the_levels_above_it(client: Client, table_name: str, levels: int):
    class Deep(Model, table="deep"):
        id: Annotated[str, PartitionKey]
        value: typed(levels)  # type: ignore[valid-type]

    table = client.table(Deep, name=table_name)
    table.create_table()
    table.put(Deep(id="a", value=nested(levels, lambda inner: [inner])))
    leaf: Any = Deep.value
    for _ in range(levels):
        leaf = leaf[0]

    table.update("a", attr(leaf).set("y"))
    assert table.get("a").value == nested(levels, lambda inner: [inner], "y")

    deeper = attr(leaf).set(["z"])
    if levels == 30:
        table.update("a", deeper)
    else:
        with pytest.raises(InvalidItem, match="32 levels"):
            table.update("a", deeper)


# ---- numbers ----


class Counted(Model, table="counted"):
    id: Annotated[int, PartitionKey]
    count: int = 0
    total: Decimal = Decimal(0)
    rate: float = 0.0


@pytest.fixture
def counted(client: Client, table_name: str) -> Any:
    table = client.table(Counted, name=table_name)
    table.create_table()
    return table


@pytest.mark.parametrize(
    "item",
    [
        Counted(id=10**38 - 1, count=-(10**38 - 1), total=Decimal("9." + "9" * 37 + "E+125"), rate=9.99e125),
        Counted(id=10**37, count=10**125, total=Decimal("1E-130"), rate=1e-130),
        Counted(id=-(10**125), count=10**37, total=Decimal("-0.00"), rate=-0.0),
    ],
    ids=["38 digits", "exponents", "zeros"],
)
@pytest.mark.parametrize("engine", ["embedded"], indirect=True)
def test_numbers_at_the_ends_are_taken_by_the_engine_and_come_back(counted: Any, item: Counted):
    counted.put(item)

    assert counted.get(item.id) == item


@pytest.mark.parametrize(
    "item",
    [
        Counted(id=10**37, count=-(10**38 - 1), total=Decimal("1." + "1" * 37), rate=1e37),
        Counted(id=1, count=10**37, total=Decimal("-0.00"), rate=-0.0),
    ],
    ids=["38 digits", "zeros"],
)
def test_numbers_of_38_digits_are_taken_by_both_judges(counted: Any, item: Counted):
    counted.put(item)

    assert counted.get(item.id) == item


HUGE = 10**5000


def test_a_huge_int_is_refused_in_keys_conditions_and_updates_in_the_librarys_own_words(counted: Any):
    refused = "the number is too large: DynamoDB"

    with pytest.raises(InvalidKey, match=f"id: {refused}"):
        counted.get(HUGE)
    with pytest.raises(InvalidItem, match=refused):
        counted.put(Counted(id=HUGE))
    for where in (Counted.count == HUGE, Counted.count > HUGE, attr(Counted.count).is_in([1, HUGE])):
        with pytest.raises(InvalidItem, match=refused):
            counted.scan(where=where).first()
    for action in (attr(Counted.count).set(HUGE), attr(Counted.count).add(HUGE)):
        with pytest.raises(InvalidItem, match=refused):
            counted.update(1, action)


@pytest.mark.parametrize("limit", [HUGE, -HUGE, 2**64, 0], ids=["10**5000", "-10**5000", "2**64", "0"])
def test_a_limit_beyond_what_can_be_counted_is_refused_in_the_librarys_own_words(counted: Any, limit: int):
    for option in ("limit", "page_size"):
        with pytest.raises(InvalidOption, match=rf"{option}=.*: expected a number of items from 1 to"):
            counted.query(Counted.id == 1, **{option: limit})
        with pytest.raises(InvalidOption, match=rf"{option}=.*: expected a number of items from 1 to"):
            counted.scan(**{option: limit})


# ---- messages name the fields as Python does ----


class Renamed(Model, table="renamed"):
    id: Annotated[str, PartitionKey]
    code: Annotated[int, Attribute(name="c")] = 0
    lines: Annotated[list[Text], Attribute(name="l")] = []


def test_messages_about_conditions_and_updates_name_the_field_and_not_the_stored_attribute():
    table = Client.local().table(Renamed)

    with pytest.raises(InvalidExpression, match=r"^Renamed\.code: is_in was given 101 values, .* at most 100"):
        table.scan(where=attr(Renamed.code).is_in(range(101))).first()
    with pytest.raises(InvalidExpression, match=r"two actions on Renamed\.code: keep one"):
        table.ops.update("a", attr(Renamed.code).set(1), attr(Renamed.lines).remove(), attr(Renamed.code).add(1))
    with pytest.raises(
        InvalidExpression, match=r"both Renamed\.lines and Renamed\.lines\[0\]\.text, which lies inside it"
    ):
        table.ops.update("a", attr(Renamed.lines[0].text).set("x"), attr(Renamed.lines).remove())


def test_refusals_are_sentences():
    table = Client.local().table(Renamed)

    class Odd(BaseModel):
        call: Callable[[], int]

    class Marked(BaseModel):
        id: Annotated[str, Epoch]

    class Flagged(BaseModel):
        id: Annotated[bool, PartitionKey]

    for error, call in (
        (SchemaError, lambda: ItemAdapter(Marked)),
        (SchemaError, lambda: ItemAdapter(Flagged)),
        (UnsupportedTypeError, lambda: ItemAdapter(Odd)),
        (InvalidKey, lambda: table.ops.get("a", "b")),
        (InvalidKey, lambda: table.ops.get(5)),
        (InvalidExpression, lambda: table.ops.update("a", attr(Renamed.code).set(1), attr(Renamed.code).set(2))),
        (InvalidExpression, lambda: table.ops.update("a")),
        (InvalidExpression, lambda: table.query(Renamed.code == 1).first()),
        (InvalidExpression, lambda: table.scan(where=attr(Renamed.code).begins_with("a")).first()),  # type: ignore[arg-type]
    ):
        with pytest.raises(error) as caught:
            call()
        assert str(caught.value.args[0]).endswith(".")
        assert not str(caught.value.args[0]).endswith("..")

"""Code of the user's that runs while an item is written or read: it may raise, and it may change what is being written."""

import dataclasses
import enum
from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from typing import Annotated, Any

import pytest
from pydantic import AfterValidator, BaseModel, BeforeValidator, ValidationError, model_validator
from pydantic import Field as Declared

from oxidyn import InvalidItem, ItemAdapter
from tests.codec.judges import Field


class Meddling(tzinfo):
    """A timezone that does something else when it is asked."""

    def __init__(self, deed: Callable[[], object]) -> None:
        self.deed = deed

    def utcoffset(self, _: datetime | None) -> timedelta:
        self.deed()
        return timedelta(hours=1)


class Failing(Exception):
    pass


def fail() -> None:
    raise Failing


def moment(deed: Callable[[], object]) -> datetime:
    return datetime(2026, 1, 31, tzinfo=Meddling(deed))


def write_or_refuse(field: Field, value: Any) -> None:
    try:
        field.adapter.dump_wire(field.model.model_construct(value=value))
    except (InvalidItem, RuntimeError):
        return


def test_a_list_that_is_emptied_while_it_is_written_is_no_crash():
    values: list[Any] = []
    values.extend(moment(values.clear) for _ in range(100))

    write_or_refuse(Field(list[datetime]), values)


def test_a_list_that_grows_while_it_is_written_is_no_crash():
    values: list[Any] = []
    values.extend(moment(lambda: values.extend([datetime(2026, 1, 31)] * 50)) for _ in range(20))

    write_or_refuse(Field(list[datetime]), values)


def test_a_dict_that_is_changed_while_it_is_written_is_no_crash():
    for deed in ("clear", "grow"):
        values: dict[str, Any] = {}

        def change(deed: str = deed, values: dict[str, Any] = values) -> None:
            if deed == "clear":
                values.clear()
            else:
                values.update({f"new{number}": datetime(2026, 1, 31) for number in range(len(values) * 2)})

        values.update({f"k{number}": moment(change) for number in range(10)})
        write_or_refuse(Field(dict[str, datetime]), values)


def test_an_instance_that_is_changed_while_it_is_written_is_no_crash():
    class Record(BaseModel):
        a: datetime
        b: list[int]
        c: str

    record = Record.model_construct(b=[1] * 1000, c="c" * 1000)
    record.a = moment(record.__dict__.clear)

    with pytest.raises(InvalidItem):
        ItemAdapter(Record).dump_wire(record)


def test_a_dataclass_that_is_changed_while_it_is_written_is_no_crash():
    @dataclasses.dataclass(slots=True)
    class Record:
        a: datetime
        b: list[int]

    record = Record(moment(lambda: delattr(record, "b")), [1] * 1000)

    with pytest.raises(InvalidItem):
        ItemAdapter(Record).dump_wire(record)


def test_what_a_timezone_raises_passes_as_it_is():
    with pytest.raises(Failing):
        Field(datetime).store(moment(fail))


def test_what_a_default_factory_raises_passes_as_it_is():
    class Record(BaseModel):
        value: int = Declared(default_factory=fail)

    with pytest.raises(Failing):
        ItemAdapter(Record).load_wire(b"{}")


def test_what_an_enum_raises_passes_where_it_does_in_pydantic():
    class Colour(enum.Enum):
        RED = "red"

        @classmethod
        def _missing_(cls, value: object) -> None:
            fail()

    field = Field(Colour)
    with pytest.raises((Failing, ValidationError)) as in_pydantic:  # Pydantic 2.11 takes it for a refusal.
        field.model.model_validate({"value": "blue"})

    with pytest.raises(Failing if in_pydantic.type is Failing else InvalidItem):
        field.load({"S": "blue"})


def test_what_a_mapping_raises_passes_as_it_is():
    class Item(dict[str, Any]):
        def items(self) -> Any:
            fail()

    with pytest.raises(Failing):
        Field(int).adapter.load_item(Item(value={"N": "1"}))


def test_an_exception_in_the_middle_leaves_the_next_call_whole():
    field = Field(list[datetime])
    good = field.model(value=[datetime(2026, 1, 31)])
    wire = field.adapter.dump_wire(good)

    for _ in range(3):
        with pytest.raises(Failing):
            field.adapter.dump_wire(field.model.model_construct(value=[datetime(2026, 1, 31), moment(fail)]))
        assert field.adapter.dump_wire(good) == wire
        assert field.adapter.load_wire(wire) == good


@pytest.mark.parametrize("how", ["after", "before", "model"])
def test_an_exception_of_the_users_code_tells_where_in_the_item_it_was_raised(how):
    def look(value: Any) -> Any:
        raise Failing

    if how == "model":

        class Line(BaseModel):
            price: int

            @model_validator(mode="after")
            def check(self) -> Any:
                raise Failing
    else:

        class Line(BaseModel):
            price: Annotated[int, AfterValidator(look) if how == "after" else BeforeValidator(look)]

    class Order(BaseModel):
        lines: list[Line]

    wire = b'{"lines":{"L":[{"M":{"price":{"N":"1"}}}]}}'
    with pytest.raises(Failing) as caught:
        ItemAdapter(Order).load_wire(wire)

    place = "Order.lines[0]" if how == "model" else "Order.lines[0].price"
    assert caught.value.__notes__ == [f"oxidyn: at {place}"]


def test_an_exception_while_an_item_is_written_tells_where_too():
    class Record(BaseModel):
        days: dict[str, datetime]

    with pytest.raises(Failing) as caught:
        ItemAdapter(Record).dump_wire(Record(days={"first": moment(fail)}))

    assert caught.value.__notes__ == ["oxidyn: at Record.days.first"]

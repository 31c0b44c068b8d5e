"""What tells the members of a tagged union beyond a field: functions, fields that lie deeper, unions inside unions."""

import enum
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import (
    AliasPath,
    BaseModel,
    ConfigDict,
    Discriminator,
    GetCoreSchemaHandler,
    JsonValue,
    Tag,
    TypeAdapter,
    ValidationError,
)
from pydantic import Field as Constrained
from pydantic_core import core_schema

from oxidyn import Attribute, InvalidItem
from tests.codec.judges import Field


class Cat(BaseModel):
    kind: str = "cat"
    lives: int = 9


class Dog(BaseModel):
    kind: str = "dog"
    name: str


def kind_of(pet: Any) -> Any:
    return pet.get("kind") if isinstance(pet, dict) else getattr(pet, "kind", None)


Pet = Annotated[Annotated[Cat, Tag("cat")] | Annotated[Dog, Tag("dog")], Discriminator(kind_of)]
pets = st.builds(Cat, lives=st.integers(0, 9)) | st.builds(Dog, name=st.text(max_size=3))


# ---- by a function ----


@given(pets)
def test_a_function_tells_the_member(pet):
    Field(Pet).check_round_trip(pet)
    Field(list[Pet]).check_round_trip([pet])
    Field(Pet | None, None).check_round_trip(pet)


def test_literals_that_a_function_may_look_at_are_always_stored():
    class Black(BaseModel):
        colour: Literal["black"] = "black"
        age: int = 0

    class White(BaseModel):
        colour: Literal["white"] = "white"
        age: int = 0

    def colour_of(cat: Any) -> Any:
        return cat["colour"] if isinstance(cat, dict) else cat.colour

    cats = Annotated[Annotated[Black, Tag("black")] | Annotated[White, Tag("white")], Discriminator(colour_of)]
    field = Field(cats, unset="skip")

    assert field.store(White()) == {"M": {"colour": {"S": "white"}}}
    assert field.load(field.store(White())) == White()


@given(pets)
def test_the_function_decides_as_it_does_for_pydantic(pet):
    field = Field(Pet)
    attribute = field.store(pet)

    assert field.load(attribute) == field.model.model_validate({"value": pet.model_dump()}).value


def test_the_function_is_called_with_values_under_the_names_that_the_members_take():
    seen: list[Any] = []

    class Left(BaseModel):
        side: Annotated[str, Attribute(name="s")] = Constrained(alias="whichSide")

    class Right(Left):
        pass

    def side_of(value: Any) -> Any:
        seen.append(value)
        return value["whichSide"] if isinstance(value, dict) else value.side

    field = Field(Annotated[Annotated[Left, Tag("l")] | Annotated[Right, Tag("r")], Discriminator(side_of)])
    value = Right(whichSide="r")
    attribute = field.store(value)
    seen.clear()

    loaded = field.load(attribute)

    assert attribute == {"M": {"s": {"S": "r"}}}
    assert (loaded, type(loaded)) == (value, Right)
    assert seen == [{"whichSide": "r"}]


def test_members_of_one_class_are_written_as_the_function_tells():
    def which(value: Any) -> str:
        return "numbers" if all(isinstance(each, int) for each in value) else "texts"

    annotation = Annotated[
        Annotated[list[int], Tag("numbers")] | Annotated[list[str], Tag("texts")], Discriminator(which)
    ]
    field = Field(annotation)

    field.check_round_trip([1, 2])
    field.check_round_trip(["a"])
    assert field.refusal({"L": [{"N": "1"}, {"S": "x"}]})["loc"] == ("value", 0)


def test_scalars_and_enums_as_tags_are_told_by_a_function_too():
    class Shape(enum.Enum):
        TEXT = "text"
        NUMBER = "number"

    def shape(value: Any) -> Shape:
        return Shape.TEXT if isinstance(value, str) else Shape.NUMBER

    schema = core_schema.tagged_union_schema(
        {Shape.TEXT: core_schema.str_schema(), Shape.NUMBER: core_schema.int_schema()}, shape
    )
    field = Field(of_schema(schema))

    field.check_round_trip("a")
    field.check_round_trip(1)


@pytest.mark.parametrize(
    ("attribute", "type_"),
    [({"M": {}}, "union_tag_not_found"), ({"M": {"kind": {"S": "bird"}}}, "union_tag_invalid"), ({"S": "x"}, None)],
)
def test_what_the_function_does_not_know_is_refused_as_pydantic_refuses_it(attribute, type_):
    error = Field(Pet).refusal(attribute)

    assert error["loc"] == ("value",)
    assert error["type"] == (type_ or "union_tag_not_found")


def test_a_refused_part_of_the_told_member_has_its_own_path():
    assert Field(Pet).refusal({"M": {"kind": {"S": "cat"}, "lives": {"S": "x"}}})["loc"] == ("value", "lives")
    assert Field(Pet).refusal_to_store(Cat.model_construct(lives="x"))["loc"] == ("value", "lives")


def test_what_the_function_raises_is_raised():
    def fails(value: Any) -> str:
        raise KeyError("mine")

    field = Field(Annotated[Annotated[Cat, Tag("cat")] | Annotated[Dog, Tag("dog")], Discriminator(fails)])

    with pytest.raises(KeyError, match="mine"):
        field.load({"M": {}})


# ---- errors of the union's own ----


def test_an_error_of_the_unions_own_is_raised_as_pydantic_raises_it():
    own = {
        "custom_error_type": "no_pet",
        "custom_error_message": "{what} is no pet",
        "custom_error_context": {"what": 1},
    }
    by_function = Annotated[
        Annotated[Cat, Tag("cat")] | Annotated[Dog, Tag("dog")], Discriminator(kind_of, **own)  # type: ignore[arg-type]
    ]
    plain = of_schema(core_schema.union_schema([core_schema.int_schema(), core_schema.str_schema(max_length=1)], **own))
    literal = core_schema.literal_schema
    typed_dict = core_schema.typed_dict_schema
    fields = [typed_dict({"k": core_schema.typed_dict_field(literal([tag]))}) for tag in "ab"]
    by_field = of_schema(core_schema.tagged_union_schema(dict(zip("ab", fields, strict=True)), "k", **own))

    for annotation, attribute in (
        (by_function, {"M": {"kind": {"S": "bird"}}}),
        (plain, {"S": "ab"}),
        (plain, {"NULL": True}),
        (by_field, {"M": {"k": {"S": "c"}}}),
        (by_field, {"M": {}}),
    ):
        error = Field(annotation).refusal(attribute)
        assert (error["type"], error["msg"], error["loc"]) == ("no_pet", "1 is no pet", ("value",))


# ---- by a field that lies deeper ----


def of_schema(schema: core_schema.CoreSchema) -> Any:
    class Of:
        @classmethod
        def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler):
            return schema

    return Of


def tagged(members: dict[str, type[BaseModel]], path: Any) -> Any:
    class Of:
        @classmethod
        def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler):
            choices = {tag: handler.generate_schema(member) for tag, member in members.items()}
            return core_schema.tagged_union_schema(choices, path)

    return Of


class MetaA(BaseModel):
    kind: Literal["a"]


class MetaB(BaseModel):
    kind: Literal["b"]


class A(BaseModel):
    meta: MetaA


class B(BaseModel):
    meta: MetaB


@pytest.mark.parametrize("path", [["meta", "kind"], [["meta", "kind"]], [["other"], ["meta", "kind"]]])
def test_a_field_of_a_nested_model_discriminates(path):
    field = Field(tagged({"a": A, "b": B}, path))

    field.check_round_trip(B(meta=MetaB(kind="b")))
    assert field.load({"M": {"x": {"M": {}}, "meta": {"M": {"y": {"L": []}, "kind": {"S": "a"}}}}}) == A(
        meta=MetaA(kind="a")
    )
    assert field.refusal({"M": {"meta": {"M": {}}}})["type"] == "union_tag_not_found"
    assert field.refusal({"M": {"meta": {"M": {"kind": {"S": "c"}}}}})["type"] == "union_tag_invalid"


def test_a_field_that_an_alias_path_takes_discriminates_under_its_stored_name():
    class One(BaseModel):
        kind: Literal["1"] = Constrained(validation_alias=AliasPath("meta", "kind"))

    class Two(BaseModel):
        kind: Literal["2"] = Constrained(validation_alias=AliasPath("meta", "kind"))

    field = Field(tagged({"1": One, "2": Two}, ["meta", "kind"]))
    value = Two.model_validate({"meta": {"kind": "2"}})

    assert field.store_instance(field.model.model_construct(value=value)) == {"M": {"kind": {"S": "2"}}}
    assert field.load({"M": {"kind": {"S": "2"}}}) == value


# ---- unions inside unions ----


class Siamese(BaseModel):
    kind: Literal["cat"] = "cat"
    breed: Literal["siamese"] = "siamese"


class Persian(BaseModel):
    kind: Literal["cat"] = "cat"
    breed: Literal["persian"] = "persian"


class Wolf(BaseModel):
    kind: Literal["wolf"] = "wolf"


Cats = Annotated[Siamese | Persian, Discriminator("breed")]
Animal = Annotated[Cats | Wolf, Discriminator("kind")]


@pytest.mark.parametrize("animal", [Siamese(), Persian(), Wolf()])
def test_tagged_unions_inside_tagged_unions_are_told_step_by_step(animal):
    Field(Animal).check_round_trip(animal)
    Field(dict[str, Animal]).check_round_trip({"a": animal})
    Field(Animal | int).check_round_trip(animal)


def test_a_refused_inner_discriminator_is_named():
    error = Field(Animal).refusal({"M": {"kind": {"S": "cat"}, "breed": {"S": "x"}}})

    assert error["loc"] == ("value", "breed")


# ---- JsonValue ----

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.text(max_size=4) | st.floats(0.25, 0.75),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1, max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(json_values)
def test_any_json_value_comes_back(value):
    Field(JsonValue).check_round_trip(value)
    Field(dict[str, JsonValue]).check_round_trip({"a": value})


@given(json_values)
def test_a_json_value_is_read_as_pydantic_reads_it(value):
    field = Field(JsonValue)
    Field(JsonValue).check_against_boto3(value, boto3_value(value))
    assert field.load(field.store(value)) == TypeAdapter(JsonValue).validate_python(value)


def boto3_value(value: Any) -> Any:
    from decimal import Decimal

    match value:
        case bool():
            return value
        case float():
            return Decimal(repr(value))
        case list():
            return [boto3_value(each) for each in value]
        case dict():
            return {name: boto3_value(each) for name, each in value.items()}
    return value


@pytest.mark.parametrize("attribute", [{"SS": ["a"]}, {"L": [{"B": "YQ=="}]}, {"M": {"a": {"NS": ["1"]}}}])
def test_what_is_no_json_is_refused_with_pydantics_error(attribute):
    with pytest.raises(InvalidItem) as caught:
        Field(JsonValue).load(attribute)
    assert {error["type"] for error in caught.value.errors()} == {"invalid-json-value"}


@pytest.mark.parametrize("value", [{1}, b"a", {"a": object()}, {1: "a"}])
def test_an_instance_with_what_is_no_json_is_refused(value):
    assert Field(JsonValue).refusal_to_store(value)["loc"][0] == "value"


# ---- strict, labels, order ----


@given(st.sampled_from(["5", "a"]) | st.integers(-5, 5))
def test_strict_and_labelled_unions_are_read_as_pydantics_json_mode_reads_them(value):
    labelled = core_schema.union_schema(
        [(core_schema.int_schema(strict=True), "whole"), (core_schema.str_schema(), "text")]
    )
    for field in (
        Field(of_schema(labelled)),
        Field(int | str, config=ConfigDict(strict=True)),
        Field(Annotated[str | int, Constrained(union_mode="left_to_right")]),
    ):
        field.check_round_trip(value)


def test_config_of_members_is_their_own():
    class Lower(BaseModel):
        model_config = ConfigDict(str_to_lower=True)
        kind: Literal["lower"] = "lower"
        text: str

    class Same(BaseModel):
        kind: Literal["same"] = "same"
        text: str

    field = Field(Annotated[Lower | Same, Discriminator("kind")])

    assert field.load({"M": {"kind": {"S": "lower"}, "text": {"S": "A"}}}).text == "a"
    assert field.load({"M": {"kind": {"S": "same"}, "text": {"S": "A"}}}).text == "A"
    with pytest.raises(ValidationError):
        field.load({"M": {"kind": {"S": "other"}, "text": {"S": "A"}}})

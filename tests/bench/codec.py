"""Instances to bytes and back: oxidyn beside Pydantic's own JSON and boto3's types.

Neither of the two others does the same: Pydantic's JSON is no DynamoDB item, it is the yardstick of how fast a
serializer in Rust can be; boto3's way is what one writes by hand.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from oxidyn import ItemAdapter
from tests.bench import shapes
from tests.bench.report import Bar, Part, Row, Table
from tests.bench.rounds import interleave
from tests.bench.typed import from_typed, to_typed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pydantic import BaseModel

    from tests.bench.rounds import Batch, Effort
    from tests.bench.shapes import Shape

SHAPES = (shapes.FLAT, shapes.MIXED, shapes.ORDER, shapes.EVENT, shapes.VECTOR_7, shapes.VECTOR_17)
PAGES = (shapes.FLAT, shapes.MIXED)
# What the project promises, as a share of Pydantic's own time.
ENCODE_BARS = {
    shapes.FLAT.name: 0.22,
    shapes.MIXED.name: 0.30,
    shapes.ORDER.name: 0.35,
    shapes.VECTOR_7.name: 0.38,
    shapes.VECTOR_17.name: 0.72,
}
DECODE_BARS = {
    shapes.FLAT.name: 0.48,
    shapes.MIXED.name: 0.62,
    shapes.ORDER.name: 0.62,
    shapes.VECTOR_7.name: 0.75,
    shapes.VECTOR_17.name: 0.95,
}
# Of models with a validator of the user's on one field.
VALIDATED_BAR = 1.0
PAGE_BARS = {shapes.FLAT.name: 0.60, shapes.MIXED.name: 0.62}


def run(effort: Effort) -> Part:
    """Measure every shape; those that the project promises something of have their bars."""
    encode = Table("codec: instance to bytes (boto3: to the request's JSON)", baseline="pydantic")
    decode = Table("codec: bytes to instance", baseline="pydantic")
    bars: list[Bar] = []
    for shape in SHAPES:
        _check(shape)
        encode.rows.append(Row(shape.name, interleave(_encoders(shape), effort)))
        decode.rows.append(Row(shape.name, interleave(_decoders(shape), effort)))
        if shape.name in ENCODE_BARS:
            bars.append(_bar(f"encode, {shape.name}", encode.rows[-1], ENCODE_BARS[shape.name]))
            bars.append(_bar(f"decode, {shape.name}", decode.rows[-1], DECODE_BARS[shape.name]))
    for shape in PAGES:
        decode.rows.append(Row(f"page of 100: {shape.name}", interleave(_page_decoders(shape), effort)))
        bars.append(_bar(f"decode, page of 100: {shape.name}", decode.rows[-1], PAGE_BARS[shape.name]))
    for shape in shapes.VALIDATED:
        _check(shape)
        decode.rows.append(Row(shape.name, interleave(_decoders(shape), effort)))
        bars.append(_bar(f"decode, {shape.name}", decode.rows[-1], VALIDATED_BAR))
    return Part("codec", [encode, decode], bars, {"decoded into": "Pydantic models in every column"})


def _bar(name: str, row: Row, limit: float) -> Bar:
    return Bar(name, row.samples["oxidyn"].over(row.samples["pydantic"]), limit)


def _check(shape: Shape) -> None:
    """oxidyn reads what boto3's types say, and boto3 reads what oxidyn writes."""
    adapter = ItemAdapter(shape.model)
    for sample in shape.samples:
        ours = adapter.dump_wire(sample)
        assert from_typed(shape.model, json.loads(ours)) == sample
        assert adapter.load_wire(json.dumps(to_typed(sample)).encode()) == sample


def _encoders(shape: Shape) -> dict[str, Batch]:
    return {
        "oxidyn": _each(ItemAdapter(shape.model).dump_wire, shape.samples),
        "pydantic": _each(shape.model.model_dump_json, shape.samples),
        "boto3": _each(lambda sample: json.dumps(to_typed(sample)).encode(), shape.samples),
    }


def _decoders(shape: Shape) -> dict[str, Batch]:
    adapter = ItemAdapter(shape.model)
    wire = [adapter.dump_wire(sample) for sample in shape.samples]
    text = [sample.model_dump_json().encode() for sample in shape.samples]
    return {
        "oxidyn": _each(adapter.load_wire, wire),
        "pydantic": _each(shape.model.model_validate_json, text),
        "boto3": _each(lambda data: from_typed(shape.model, json.loads(data)), wire),
    }


def _page_decoders(shape: Shape) -> dict[str, Batch]:
    adapter = ItemAdapter(shape.model)
    # Any: pydantic cannot type a list of a model that is known only now.
    listed: TypeAdapter[Any] = TypeAdapter(list[shape.model])
    wire = [adapter.dump_wire(sample) for sample in shape.samples]
    text = listed.dump_json(shape.samples)
    page = b'{"Items":[%s]}' % b",".join(wire)
    load = adapter.load_wire
    return {
        "oxidyn": _each(lambda items: [load(item) for item in items], [wire]),
        "pydantic": _each(listed.validate_json, [text]),
        "boto3": _each(lambda data: [from_typed(shape.model, item) for item in json.loads(data)["Items"]], [page]),
    }


def _each(work: Callable[[Any], object], samples: Sequence[BaseModel | bytes | list[bytes]]) -> Batch:
    """Do `work` with the samples in turn."""

    def batch(times: int) -> None:
        rounds, rest = divmod(times, len(samples))
        for _ in range(rounds):
            for sample in samples:
                work(sample)
        for sample in samples[:rest]:
            work(sample)

    return batch

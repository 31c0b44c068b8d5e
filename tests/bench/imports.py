"""What a cold start costs: CPU time of fresh processes, up to the import and up to the first put."""

from __future__ import annotations

import subprocess
import sys
from textwrap import dedent
from typing import TYPE_CHECKING

from tests.bench.peers import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY
from tests.bench.report import Part, Row, Table
from tests.bench.rounds import Sample
from tests.bench.stub import REPOSITORY, Stub, build

if TYPE_CHECKING:
    from tests.bench.rounds import Effort

# Runs last in each process. The clock started with the process, so the interpreter's own start is inside.
STOP = "import time; print(time.process_time())"

IMPORTS = {
    "oxidyn": "import oxidyn",
    "nothing": "",
    "pydantic": "import pydantic; pydantic.BaseModel",
    # The first model imports as much again of Pydantic; oxidyn's own base class is one.
    "pydantic, one model": "from pydantic import BaseModel\nclass Model(BaseModel): pass",
    "boto3": "import boto3",
    "pydynox": "import pydynox; pydynox.Model, pydynox.DynamoDBClient",
}

MODEL = dedent("""
    from pydantic import BaseModel

    class Flat(BaseModel):
        org: str
        id: str
        name: str
        age: int
        score: float
        active: bool

    flat = Flat(org="acme", id="user-1", name="Ada", age=36, score=9.5, active=True)
""")

PYDYNOX_CLIENT = dedent("""
    from pydynox import DynamoDBClient, Model, ModelConfig

    client = DynamoDBClient(region=REGION, endpoint_url=URL, access_key=ID, secret_key=SECRET)
""")

# Each runs after a line that sets URL, REGION, ID and SECRET.
FIRST_PUTS = {
    "oxidyn": MODEL
    + dedent("""
        from oxidyn import Client

        client = Client(region=REGION, endpoint_url=URL, access_key_id=ID, secret_access_key=SECRET)
        client.table(Flat, name="bench", partition="org", sort="id").put(flat)
    """),
    "boto3": MODEL
    + dedent("""
        from decimal import Decimal

        import boto3
        from boto3.dynamodb.types import TypeSerializer

        client = boto3.client(
            "dynamodb", region_name=REGION, endpoint_url=URL, aws_access_key_id=ID, aws_secret_access_key=SECRET
        )
        values = flat.model_dump() | {"score": Decimal(repr(flat.score))}
        client.put_item(
            TableName="bench", Item={name: TypeSerializer().serialize(value) for name, value in values.items()}
        )
    """),
    "pydynox, by hand": MODEL
    + PYDYNOX_CLIENT
    + dedent("""
        client.sync_put_item("bench", flat.model_dump(mode="json"))
    """),
    "pydynox Model": PYDYNOX_CLIENT
    + dedent("""
        from pydynox.attributes import BooleanAttribute, NumberAttribute, StringAttribute

        class Flat(Model):
            model_config = ModelConfig(table="bench", client=client)
            org = StringAttribute(partition_key=True)
            id = StringAttribute(sort_key=True)
            name = StringAttribute()
            age = NumberAttribute()
            score = NumberAttribute()
            active = BooleanAttribute()

        Flat(org="acme", id="user-1", name="Ada", age=36, score=9.5, active=True).sync_save(full_replace=True)
    """),
}


def run(effort: Effort) -> Part:
    """Measure imports and first puts, each in fresh processes."""
    imports = _interleave(IMPORTS, effort)
    with Stub(build(), {"PutItem": {}}) as stub:
        settings = f"URL, REGION, ID, SECRET = {(stub.url, REGION, ACCESS_KEY_ID, SECRET_ACCESS_KEY)}\n"
        first_puts = _interleave({name: settings + program for name, program in FIRST_PUTS.items()}, effort)
    unit = "CPU ms of a fresh process"
    tables = [
        Table("cold start, import", "oxidyn", unit, [Row("import", imports)]),
        Table("cold start, import to first put", "oxidyn", unit, [Row("first put", first_puts)]),
    ]

    def beyond(name: str) -> str:
        return f"{imports['oxidyn'].median - imports[name].median:.1f} ms"

    notes = {
        "import oxidyn, beyond import pydantic": beyond("pydantic"),
        "import oxidyn, beyond pydantic with one model": beyond("pydantic, one model"),
        "first put": "of a Pydantic model; of its own model for pydynox Model",
    }
    return Part("imports", tables, [], notes)


def _interleave(programs: dict[str, str], effort: Effort) -> dict[str, Sample]:
    times: dict[str, list[float]] = {name: [] for name in programs}
    # The first round writes the bytecode files.
    for measured in (False, *[True] * effort.rounds):
        for name, program in programs.items():
            command = [sys.executable, "-c", f"{program}\n{STOP}"]
            process = subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.PIPE, text=True)
            if measured:
                times[name].append(float(process.stdout) * 1e3)
    return {name: Sample(values) for name, values in times.items()}

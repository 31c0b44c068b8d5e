"""What a cold start costs: CPU time of fresh processes, up to the import and up to the first put, and their peak memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from textwrap import dedent
from typing import TYPE_CHECKING, TypeVar

from tests.bench.peers import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY
from tests.bench.report import Bar, Part, Row, Table
from tests.bench.rounds import Ratio, Sample
from tests.bench.stub import REPOSITORY, Stub, build

if TYPE_CHECKING:
    from tests.bench.rounds import Effort

_Name = TypeVar("_Name")

# Runs last in each process. The clock started with the process, so the interpreter's own start is inside. `ru_maxrss` would
# be the peak of this process too, from which the child was forked.
STOP = dedent("""
    import time
    spent = time.process_time()
    with open("/proc/self/status") as status:
        print(spent, *(line.split()[1] for line in status if line.startswith("VmHWM")))
""")

# What every process has: bytecode, as an installed package does, also where the caller wants none written.
CACHE = REPOSITORY / "target" / "bench-bytecode"

# By row and column. What `import oxidyn` itself does is next to nothing, as each name is imported when it is asked for: the
# other rows are what a program does that has a use for it.
IMPORTS = {
    "nothing but the package": {
        "oxidyn": "import oxidyn",
        "pydantic": "import pydantic",
        "boto3": "import boto3",
        "pydynox": "import pydynox",
        "nothing": "",
    },
    "what a program imports": {
        "oxidyn": "from oxidyn import Client, ConditionFailed, ItemNotFound",
        "pydantic": "from pydantic import BaseModel, ValidationError",
        "boto3": "import boto3",
        "pydynox": "from pydynox import DynamoDBClient, Model",
    },
    "and its first model": {
        "oxidyn": dedent("""
            from typing import Annotated
            from oxidyn import Client, ConditionFailed, ItemNotFound, Model, PartitionKey
            class User(Model, table="users"):
                id: Annotated[str, PartitionKey]
        """),
        # The first model imports as much again of Pydantic.
        "pydantic": dedent("""
            from pydantic import BaseModel, ValidationError
            class User(BaseModel):
                id: str
        """),
    },
}

MOST_BEYOND = 15
MOST_OF_BOTO3 = 0.55
MOST_MEGABYTES = 40

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
    programs = {(row, column): program for row, columns in IMPORTS.items() for column, program in columns.items()}
    imports, _ = _interleave(programs, effort)
    with Stub(build(), {"PutItem": {}}) as stub:
        settings = f"URL, REGION, ID, SECRET = {(stub.url, REGION, ACCESS_KEY_ID, SECRET_ACCESS_KEY)}\n"
        puts, peaks = _interleave({name: settings + program for name, program in FIRST_PUTS.items()}, effort)
    unit = "CPU ms of a fresh process"
    rows = [Row(row, {column: imports[row, column] for column in columns}) for row, columns in IMPORTS.items()]
    tables = [
        Table("cold start, import", "oxidyn", unit, rows),
        Table("cold start, import to first put", "oxidyn", unit, [Row("first put", puts)]),
        Table("cold start, import to first put", "oxidyn", "MB at the peak", [Row("first put", peaks)]),
    ]
    bars = [
        *(
            Bar(f"{row}, beyond Pydantic's", _beyond(imports, row), MOST_BEYOND, "a millisecond of CPU time")
            for row in IMPORTS
        ),
        Bar("import to first put", puts["oxidyn"].over(puts["boto3"]), MOST_OF_BOTO3, "boto3's CPU time"),
        Bar("import to first put, peak", _alone(peaks["oxidyn"].rounds), MOST_MEGABYTES, "a megabyte"),
    ]
    return Part("imports", tables, bars, {"first put": "of a Pydantic model; of its own model for pydynox Model"})


def _beyond(imports: dict[tuple[str, str], Sample], row: str) -> Ratio:
    ours, theirs = imports[row, "oxidyn"], imports[row, "pydantic"]
    each = [mine - pydantics for mine, pydantics in zip(ours.rounds, theirs.rounds, strict=True)]
    return Ratio(ours.median - theirs.median, min(each), max(each))


def _alone(values: list[float]) -> Ratio:
    return Ratio(statistics.median(values), min(values), max(values))


def _interleave(programs: dict[_Name, str], effort: Effort) -> tuple[dict[_Name, Sample], dict[_Name, Sample]]:
    times: dict[_Name, list[float]] = {name: [] for name in programs}
    peaks: dict[_Name, list[float]] = {name: [] for name in programs}
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(CACHE)
    # The first round writes the bytecode files.
    for measured in (False, *[True] * effort.rounds):
        for name, program in programs.items():
            command = [sys.executable, "-c", f"{program}\n{STOP}"]
            process = subprocess.run(
                command, cwd=REPOSITORY, env=environment, check=True, stdout=subprocess.PIPE, text=True
            )
            if measured:
                seconds, kilobytes = process.stdout.split()
                times[name].append(float(seconds) * 1e3)
                peaks[name].append(int(kilobytes) / 1024)
    return (
        {name: Sample(values) for name, values in times.items()},
        {name: Sample(values) for name, values in peaks.items()},
    )

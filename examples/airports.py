"""The world's 28,000 airports in DynamoDB: written, read, queried, updated and deleted, each result checked against the source.

Runs in process on the embedded engine: no account, no server, no network. `python examples/airports.py [count]`
"""

import sys
import time
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from enum import Enum, IntEnum
from itertools import islice
from typing import Annotated

import airportsdata
from pydantic import BaseModel, Field
from tqdm import tqdm

from oxidyn import Client, ConditionFailed, Index, Model, PartitionKey, attr

CHUNK = 1_000


class Area(Enum):
    """The first part of a time zone's name."""

    AFRICA = "Africa"
    AMERICA = "America"
    ANTARCTICA = "Antarctica"
    ARCTIC = "Arctic"
    ASIA = "Asia"
    ATLANTIC = "Atlantic"
    AUSTRALIA = "Australia"
    EUROPE = "Europe"
    INDIAN = "Indian"
    PACIFIC = "Pacific"


class Relief(IntEnum):
    """How high an airport lies, in steps of 1,000 feet."""

    LOWLAND = 0
    HILLS = 1
    UPLAND = 2
    MOUNTAINS = 3

    @classmethod
    def at(cls, elevation: float) -> "Relief":
        """Give the step for an elevation in feet."""
        return cls(min(max(int(elevation // 1_000), 0), 3))


class Location(BaseModel):
    """A place on Earth, stored as a map inside its airport."""

    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]
    time_zone: str
    area: Area


class Airport(Model, table="airports"):
    """One airport, found by its ICAO code, or by country in order of elevation."""

    icao: Annotated[str, PartitionKey]
    name: str
    country: Annotated[str, Index("by_country", partition=True)]
    elevation: Annotated[float, Index("by_country", sort=True)]
    relief: Relief
    location: Location
    iata: Annotated[str, Field(pattern="^[A-Z0-9]{3}$")] | None = None
    lid: str | None = None
    city: str | None = None
    subdivision: str | None = None
    inspections: int = 0


def from_source(row: airportsdata.Airport) -> Airport:
    """Read one row of the package as a model."""
    return Airport(
        icao=row["icao"],
        name=row["name"],
        country=row["country"],
        elevation=row["elevation"],
        relief=Relief.at(row["elevation"]),
        location=Location(
            latitude=row["lat"],
            longitude=row["lon"],
            time_zone=row["tz"],
            area=Area(row["tz"].partition("/")[0]),
        ),
        iata=row["iata"] or None,
        lid=row["lid"] or None,
        city=row["city"] or None,
        subdivision=row["subd"] or None,
    )


def as_source(airport: Airport) -> dict[str, object]:
    """Write a model as the package's row, to compare the two."""
    return {
        "icao": airport.icao,
        "iata": airport.iata or "",
        "name": airport.name,
        "city": airport.city or "",
        "subd": airport.subdivision or "",
        "country": airport.country,
        "elevation": airport.elevation,
        "lat": airport.location.latitude,
        "lon": airport.location.longitude,
        "tz": airport.location.time_zone,
        "lid": airport.lid or "",
    }


def check(claim: bool, what: str) -> None:
    """Stop with the reason when something read differs from the source."""
    if not claim:
        sys.exit(f"airports: {what}")


def chunks(airports: Sequence[Airport]) -> Iterator[Sequence[Airport]]:
    """Cut the airports into pieces that move a progress bar."""
    for start in range(0, len(airports), CHUNK):
        yield airports[start : start + CHUNK]


@contextmanager
def timed(what: str, count: int) -> Generator[None]:
    """Print what was done, how many of it, and how fast."""
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{what:<58} {count:>7,} in {wall:6.2f} s  {count / wall:>9,.0f}/s  {cpu:6.2f} s of CPU")


def main(count: int | None = None) -> None:
    """Load `count` airports, or all, and put the table through its paces."""
    source = list(islice(airportsdata.load().values(), count))
    rows = {row["icao"]: row for row in source}

    with timed("declared as Pydantic models", len(source)):
        airports = [from_source(row) for row in source]

    with Client.local() as client:
        table = client.table(Airport)
        table.create_table()

        with (
            timed("written in batches", len(airports)),
            tqdm(total=len(airports), unit=" airports", leave=False) as bar,
        ):
            for chunk in chunks(airports):
                table.batch_put(chunk)
                bar.update(len(chunk))

        with timed("read back by key, each compared with the source", len(airports)):
            for chunk in chunks(airports):
                for wanted, stored in zip(chunk, table.batch_get([airport.icao for airport in chunk]), strict=True):
                    check(stored is not None and stored == wanted, f"{wanted.icao} came back different")
                    check(
                        stored is not None and as_source(stored) == rows[wanted.icao], f"{wanted.icao} lost something"
                    )

        with timed("read one by one", CHUNK):
            for airport in airports[:CHUNK]:
                check(table.get(airport.icao) == airport, f"{airport.icao} came back different")

        country, size = Counter(airport.country for airport in airports).most_common(1)[0]
        highest = sorted((a.elevation for a in airports if a.country == country), reverse=True)
        with timed(f"queried: {country}, the highest first, in pages of 500", size):
            found = list(table.query(Airport.country == country, index="by_country", reverse=True, page_size=500))
        check([airport.elevation for airport in found] == highest, f"{country} is not ordered by elevation")
        for airport in found[:3]:
            print(f"    {airport.elevation:>8,.0f} ft  {airport.icao}  {airport.name}, {airport.city}")

        north = table.query(
            (Airport.country == country) & (Airport.elevation >= 1_000),
            where=(Airport.location.latitude > 45) & attr(Airport.iata).is_some() & (Airport.relief != Relief.UPLAND),
            index="by_country",
        )
        high = [airport for airport in airports if airport.country == country and airport.elevation >= 1_000]
        expected = {
            airport.icao
            for airport in high
            if airport.location.latitude > 45 and airport.iata is not None and airport.relief is not Relief.UPLAND
        }
        with timed(f"filtered: above 1,000 ft, {len(expected)} by place and code", len(high)):
            matches = {airport.icao for airport in north}
        check(matches == expected, "the filter found other airports than the source has")

        top = found[0]
        seen = table.update(top.icao, attr(Airport.inspections).add(1), where=Airport.inspections == 0, returning="new")
        check(seen == top.model_copy(update={"inspections": 1}), "the update changed something else")
        try:
            table.update(top.icao, attr(Airport.inspections).add(1), where=Airport.inspections == 0)
        except ConditionFailed as error:
            print(f"updated {top.icao} once under a condition; the second time: {type(error).__name__}")
        else:
            check(claim=False, what="an update whose condition does not hold was carried out")

        check(table.delete(top.icao, returning="old") == seen, "deleting gave another airport back")
        check(table.get(top.icao) is None, f"{top.icao} is still there")
        with timed("deleted in batches", size - 1):
            table.batch_delete([airport.icao for airport in found[1:]])
        with timed("scanned and counted", len(airports) - size):
            left = table.scan().count()
        check(left == len(airports) - size, f"{left} airports are left, not {len(airports) - size}")

    print(f"{len(airports):,} airports written, compared equal and queried; {time.process_time():.1f} s of CPU in all")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else None)

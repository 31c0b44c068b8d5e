from examples import airports


def test_every_step_holds_on_a_part_of_the_airports(capsys):
    airports.main(3_000)

    assert "3,000 airports written, compared equal and queried" in capsys.readouterr().out

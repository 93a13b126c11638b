"""What `plan` and `deploy` say of stores."""

from typing import Any

from crossfade.cli.ship.stores import planned, saved

DB = "shop/db"


def store(backup: str = "dump") -> dict[str, Any]:
    return {"service": {"app": "shop", "name": "db"}, "backup": backup}


def service(migrate: str = "") -> dict[str, Any]:
    return {"hooks": {"migrate": migrate}}


def test_what_changed_of_a_store_and_its_backup_are_under_its_line() -> None:
    """Nothing is said of changes that are made, for then there are none."""
    assert planned({DB: "changed"}, {DB: ["env TZ"]}, [DB]) == [
        "the store shop/db changed in the file: it runs on as it is, --replace-stores recreates it, with its data",
        "  env TZ",
        "  it is backed up before the migration",
    ]
    assert planned({DB: "started"}, {DB: ["env TZ"]}, []) == ["the store shop/db is started first"]


def test_stores_are_backed_up_before_a_migration_alone() -> None:
    """And those only whose data the file says how to write down."""
    assert saved([store()], [service(), service("./migrate")]) == [DB]
    assert saved([store()], [service()]) == []
    assert saved([store(backup="")], [service("./migrate")]) == []

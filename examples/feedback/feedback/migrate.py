"""`python -m feedback.migrate`: the migrate hook, run once a deploy before the new release gets traffic."""

from feedback.store import Store


def main() -> None:
    store = Store.from_environment()
    before, after = store.migrate()
    print(f"{store.path}: schema {before} -> {after}")  # noqa: T201 - a hook's output is shown to who deploys
    print(f"CROSSFADE_SCHEMA={after}")  # noqa: T201 - so that only a change of the schema stands in a rollback's way


if __name__ == "__main__":
    main()

"""The database of this release: the fields of a feedback and the steps that lead there.

Steps are only ever added, and only ever add to the tables: the release before keeps working on the schema of the
release after, which is what lets two releases serve side by side and a rollback keep the data.
"""

STEPS = (
    """
    CREATE TABLE feedbacks (
        id INTEGER PRIMARY KEY,
        message TEXT NOT NULL,
        created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ'))
    )
    """,
)

FIELDS: dict[str, type] = {"message": str}
REQUIRED = {"message"}

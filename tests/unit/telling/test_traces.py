"""Which line of a program's last words is told."""

import pytest

from crossfade.telling.traces import telling

SAID = {
    "a line": ("starting\nno such table: books\n", "no such table: books"),
    "nothing": ("\n  \n", ""),
    "Python": (
        (
            "Traceback (most recent call last):\n"
            '  File "/app/wsgi.py", line 3, in <module>\n'
            "    import shop\n"
            "ModuleNotFoundError: No module named 'shop'\n"
        ),
        "ModuleNotFoundError: No module named 'shop'",
    ),
    "gunicorn": (
        (
            "[2026-11-29 10:00:00 +0000] [12] [ERROR] Exception in worker process\n"
            "Traceback (most recent call last):\n"
            '  File "/app/.venv/lib/python3.11/site-packages/gunicorn/arbiter.py", line 608, in spawn_worker\n'
            "    worker.init_process()\n"
            "django.core.exceptions.ImproperlyConfigured: The SECRET_KEY setting must not be empty.\n"
            "[2026-11-29 10:00:00 +0000] [12] [INFO] Worker exiting (pid: 12)\n"
            "[2026-11-29 10:00:00 +0000] [10] [ERROR] Worker (pid:12) exited with code 3\n"
            "[2026-11-29 10:00:00 +0000] [10] [ERROR] Shutting down: Master\n"
            "[2026-11-29 10:00:00 +0000] [10] [ERROR] Reason: Worker failed to boot.\n"
        ),
        "django.core.exceptions.ImproperlyConfigured: The SECRET_KEY setting must not be empty.",
    ),
    "Python, an error of another": (
        (
            "Traceback (most recent call last):\n"
            '  File "a.py", line 1, in <module>\n'
            "KeyError: 'x'\n"
            "\n"
            "During handling of the above exception, another exception occurred:\n"
            "\n"
            "Traceback (most recent call last):\n"
            '  File "a.py", line 3, in <module>\n'
            "    connect()\n"
            "    ~~~~~~~^^\n"
            "ConnectionRefusedError: [Errno 111] Connection refused\n"
        ),
        "ConnectionRefusedError: [Errno 111] Connection refused",
    ),
    "Python that cannot be read": (
        '  File "/app/main.py", line 2\n    def x(:\n          ^\nSyntaxError: invalid syntax\n',
        "SyntaxError: invalid syntax",
    ),
    "Node": (
        (
            "node:internal/modules/cjs/loader:1228\n"
            "  throw err;\n"
            "  ^\n"
            "\n"
            "Error: Cannot find module 'express'\n"
            "Require stack:\n"
            "- /app/server.js\n"
            "    at Module._resolveFilename (node:internal/modules/cjs/loader:1225:15)\n"
            "    at node:internal/main/run_main_module:28:49 {\n"
            "  code: 'MODULE_NOT_FOUND',\n"
            "  requireStack: [ '/app/server.js' ]\n"
            "}\n"
            "\n"
            "Node.js v22.1.0\n"
        ),
        "Error: Cannot find module 'express'",
    ),
    "Java": (
        (
            'Exception in thread "main" java.lang.IllegalStateException: Failed to load ApplicationContext\n'
            "\tat com.acme.Shop.main(Shop.java:12)\n"
            "Caused by: java.sql.SQLException: Connection to db:5432 refused\n"
            "\tat org.postgresql.Driver.connect(Driver.java:1)\n"
            "\t... 12 more\n"
        ),
        "java.sql.SQLException: Connection to db:5432 refused",
    ),
    "Spring": (
        (
            "***************************\n"
            "APPLICATION FAILED TO START\n"
            "***************************\n"
            "\n"
            "Description:\n"
            "\n"
            "Web server failed to start. Port 8080 was already in use.\n"
            "\n"
            "Action:\n"
            "\n"
            "Identify and stop the process that's listening on port 8080.\n"
        ),
        "Web server failed to start. Port 8080 was already in use.",
    ),
    ".NET": (
        (
            "Unhandled exception. System.InvalidOperationException: No connection string\n"
            "   at Shop.Program.Main(String[] args) in /src/Program.cs:line 9\n"
        ),
        "Unhandled exception. System.InvalidOperationException: No connection string",
    ),
    "Ruby": (
        (
            "config/puma.rb:3:in `require': cannot load such file -- puma (LoadError)\n"
            "\tfrom config/puma.rb:3:in `<main>'\n"
            "\tfrom bin/rails:4:in `<main>'\n"
        ),
        "config/puma.rb:3:in `require': cannot load such file -- puma (LoadError)",
    ),
    "Go": (
        (
            "panic: open config.yaml: no such file or directory\n\ngoroutine 1 [running]:\n"
            "main.main()\n\t/src/main.go:9 +0x1d\nexit status 2\n"
        ),
        "panic: open config.yaml: no such file or directory",
    ),
    "Rust": (
        (
            "thread 'main' panicked at src/main.rs:2:5:\nno DATABASE_URL\n"
            "note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n"
        ),
        "thread 'main' panicked at src/main.rs:2:5: no DATABASE_URL",
    ),
    "PHP": (
        (
            "PHP Fatal error:  Uncaught Exception: no key in /app/index.php:2\nStack trace:\n#0 {main}\n"
            "  thrown in /app/index.php on line 2\n"
        ),
        "PHP Fatal error:  Uncaught Exception: no key in /app/index.php:2",
    ),
    "a trace of long ago": (
        'Traceback (most recent call last):\n  File "a.py", line 1, in x\nKeyError: 1\n'
        + "".join(f"GET /{n} 200\n" for n in range(20))
        + "out of memory\n",
        "out of memory",
    ),
    "what is no trace": ("listening at 127.0.0.1:80\n  at your service\ncannot bind\n", "cannot bind"),
}


@pytest.mark.parametrize(("said", "told"), SAID.values(), ids=list(SAID))
def test_the_error_is_told_and_not_what_comes_after_it(said: str, told: str) -> None:
    """As somebody who reads the log would point at it."""
    assert telling(said.splitlines()) == told

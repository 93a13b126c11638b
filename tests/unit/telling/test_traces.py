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
        "SyntaxError: invalid syntax (app/main.py:2)",
    ),
    "Python, several at once": (
        (
            "  + Exception Group Traceback (most recent call last):\n"
            '  |   File "/app/main.py", line 3, in <module>\n'
            "  | ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)\n"
            "  +-+---------------- 1 ----------------\n"
            "    | Traceback (most recent call last):\n"
            '    |   File "/app/main.py", line 9, in connect\n'
            "    | ConnectionRefusedError: [Errno 111] Connection refused\n"
            "    +------------------------------------\n"
        ),
        "ConnectionRefusedError: [Errno 111] Connection refused",
    ),
    "Pydantic": (
        (
            "Traceback (most recent call last):\n"
            '  File "/app/settings.py", line 9, in <module>\n'
            "    settings = Settings()\n"
            "pydantic_core._pydantic_core.ValidationError: 1 validation error for Settings\n"
            "database_url\n"
            "  Field required [type=missing, input_value={'password': 'hunter2'}, input_type=dict]\n"
            "    For further information visit https://errors.pydantic.dev/2.9/v/missing\n"
        ),
        "pydantic_core._pydantic_core.ValidationError: 1 validation error for Settings: database_url Field required",
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
    "Node, of a cause": (
        (
            "node:internal/process/promises:394\n"
            "      triggerUncaughtException(err, true /* fromPromise */);\n"
            "      ^\n"
            "\n"
            "TypeError: fetch failed\n"
            "    at node:internal/deps/undici/undici:13510:13\n"
            "    at async file:///app/server.mjs:1:1 {\n"
            "  [cause]: AggregateError [ECONNREFUSED]: \n"
            "      at internalConnectMultiple (node:net:1122:18)\n"
            "      at afterConnectMultiple (node:net:1689:7) {\n"
            "    code: 'ECONNREFUSED',\n"
            "    [errors]: [\n"
            "      Error: connect ECONNREFUSED ::1:5432\n"
            "          at createConnectionError (node:net:1652:14)\n"
            "      Error: connect ECONNREFUSED 127.0.0.1:5432\n"
            "          at createConnectionError (node:net:1652:14)\n"
            "    ]\n"
            "  }\n"
            "}\n"
            "\n"
            "Node.js v20.20.2\n"
        ),
        "Error: connect ECONNREFUSED ::1:5432",
    ),
    "Node, of much that is beside an error": (
        (
            "/app/server.js:3\n    throw error\n    ^\n\nAxiosError: Request failed with status code 503\n"
            "    at settle (/app/node_modules/axios/dist/node/axios.cjs:1967:12) {\n"
            + "".join(f"  header{n}: 'x',\n" for n in range(30))
            + "  [cause]: undefined\n}\n\nNode.js v20.20.2\n"
        ),
        "AxiosError: Request failed with status code 503",
    ),
    "Node, what is no error": (
        (
            "/app/server.js:1\nthrow 'no DATABASE_URL'\n^\nno DATABASE_URL\n"
            "(Use `node --trace-uncaught ...` to show where the exception was thrown)\n\nNode.js v20.20.2\n"
        ),
        "no DATABASE_URL",
    ),
    "Node, a promise": (
        (
            "node:internal/process/promises:394\n      triggerUncaughtException(err, true /* fromPromise */);\n"
            "      ^\n\n[UnhandledPromiseRejection: This error originated either by throwing inside of an async "
            "function without a catch block, or by rejecting a promise which was not handled with .catch(). "
            "The promise rejected with the reason \"no database\".] {\n  code: 'ERR_UNHANDLED_REJECTION'\n}\n\n"
            "Node.js v20.20.2\n"
        ),
        'UnhandledPromiseRejection: The promise rejected with the reason "no database".',
    ),
    "Node, a promise with frames": (
        (
            "UnhandledPromiseRejection: This error originated either by throwing inside of an async function without a "
            'catch block. The promise rejected with the reason "no database".\n'
            "    at throwUnhandledRejectionsMode (node:internal/process/promises:389:7)\n"
        ),
        'UnhandledPromiseRejection: The promise rejected with the reason "no database".',
    ),
    "Node that cannot be read": (
        (
            "/app/src/s.js:2\n  b: 1,,\n       ^\n\nSyntaxError: Unexpected token ','\n"
            "    at wrapSafe (node:internal/modules/cjs/loader:1464:18)\n\nNode.js v20.20.2\n"
        ),
        "SyntaxError: Unexpected token ',' (src/s.js:2)",
    ),
    "Node without memory": (
        (
            "<--- Last few GCs --->\n\n[12:0x55] 40 ms: Mark-Compact 19.5 (26.3) -> 19.0 (26.3) MB\n"
            "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n"
            "----- Native stack trace -----\n\n" + "".join(f" {n}: 0xb7a940 node::Abort() [node]\n" for n in range(20))
        ),
        "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",
    ),
    "npm": (
        (
            'npm error Missing script: "start"\nnpm error\nnpm error To see a list of scripts, run:\n'
            "npm error   npm run\n"
            "npm error A complete log of this run can be found in: /app/.npm/_logs/2026-01-02T03_04_05-debug-0.log\n"
        ),
        'npm error Missing script: "start"',
    ),
    "npm, with a code first": (
        (
            "npm error code ENOENT\nnpm error syscall open\nnpm error path /app/package.json\nnpm error errno -2\n"
            "npm error enoent Could not read package.json: Error: ENOENT: no such file or directory\n"
            "npm error enoent This is related to npm not being able to find a file.\nnpm error enoent\n"
            "npm notice New minor version of npm available!\n"
        ),
        "npm error enoent Could not read package.json: Error: ENOENT: no such file or directory",
    ),
    "what npm ran": (
        (
            "cannot bind to 127.0.0.1:80\nnpm error Lifecycle script `start` failed with error:\nnpm error code 1\n"
            "npm error path /app\nnpm error workspace shop@1.0.0\nnpm error location /app\nnpm error command failed\n"
            "npm error command sh -c node server.js\n"
        ),
        "cannot bind to 127.0.0.1:80",
    ),
    "Java, a cause without an address": (
        (
            'Exception in thread "main" java.lang.IllegalStateException: cannot start\n'
            "\tat com.acme.Shop.main(Shop.java:12)\n"
            "Caused by: org.postgresql.util.PSQLException: Connection to localhost:5432 refused.\n"
            "\tat org.postgresql.Driver.connect(Driver.java:1)\n"
            "\t... 12 more\n"
            "Caused by: java.net.ConnectException: Connection refused\n"
            "\tat java.base/sun.nio.ch.Net.pollConnect(Native Method)\n"
            "\t... 20 more\n"
        ),
        (
            "org.postgresql.util.PSQLException: Connection to localhost:5432 refused. "
            "(java.net.ConnectException: Connection refused)"
        ),
    ),
    "Java without a class": (
        "Error: Could not find or load main class Shop\nCaused by: java.lang.ClassNotFoundException: Shop\n",
        "java.lang.ClassNotFoundException: Shop",
    ),
    "Java that cannot start": (
        (
            "Unrecognized option: -Xmy\nError: Could not create the Java Virtual Machine.\n"
            "Error: A fatal exception has occurred. Program will exit.\n"
        ),
        "Unrecognized option: -Xmy",
    ),
    "Java of a source": (
        (
            "Shop.java:3: error: ';' expected\n        int x = 1\n                 ^\n1 error\n"
            "error: compilation failed\n"
        ),
        "Shop.java:3: error: ';' expected",
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

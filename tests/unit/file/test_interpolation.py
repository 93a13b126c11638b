"""Variables in values, as Compose fills them in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.file.reading.interpolation import fill

VALUES = {"A": "1", "EMPTY": "", "B": "two words"}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("plain", "plain"),
        ("$A-${A}", "1-1"),
        ("${A}${B}", "1two words"),
        ("${NONE:-x}", "x"),
        ("${NONE-x}", "x"),
        ("${EMPTY:-x}", "x"),
        ("${EMPTY-x}", ""),
        ("${NONE:-}", ""),
        ("${A:-x}", "1"),
        ("${NONE:-${A}}", "1"),
        ("${NONE:-${ALSO:-c}}", "c"),
        ("${URL:-https://${HOST:-localhost}:${P:-443}/x}", "https://localhost:443/x"),
        ('${JSON:-{"a": {"b": 1}}}', '{"a": {"b": 1}}'),
        ("${A:+yes}${NONE:+no}${EMPTY:+no}", "yes"),
        ("${EMPTY+yes}", "yes"),
        ("${A:+${B}}", "two words"),
        ("$$A $${A} $$$A", "$A ${A} $1"),
        ("^/(a|b)$$", "^/(a|b)$"),
        ("cost: 5$", "cost: 5$"),
        ("$NONE.", "."),
    ],
)
def test_values_are_filled_in_as_compose_fills_them(text: str, filled: str) -> None:
    """Nested defaults, empty values with and without a colon, and the literal dollar."""
    assert fill(text, VALUES).text == filled


def test_what_has_no_value_is_named() -> None:
    """Taken as empty, required with its reason, and everything that was asked for."""
    filled = fill("${X} $Y ${Z:?write it} ${EMPTY?} ${EMPTY:?not empty} ${D:-1}", VALUES)
    assert filled.unset == ("X", "Y")
    assert filled.required == (("Z", "write it"), ("EMPTY", "not empty"))
    assert filled.used == ("X", "Y", "Z", "EMPTY", "D")


@pytest.mark.parametrize("text", ["${", "${A", "${}", "${1}", "${A!}", "${A B}", "x${A:-${B}", "${A%x}"])
def test_a_brace_that_is_none_of_them_is_refused_with_what_is(text: str) -> None:
    """Rather than kept as a value that nobody wrote."""
    with pytest.raises(ValueError, match="NAME:-default"):
        fill(text, VALUES)


def test_in_our_file_only_braces_count() -> None:
    """`$NAME` stays for the shell that gets the command, and so does what crossfade gives each instance."""
    text = "run $PORT ${PORT} ${PORT:-80} $$ $${A} ${A}"
    filled = fill(text, VALUES, bare=False, keep={"PORT"}.__contains__)
    assert filled.text == "run $PORT ${PORT} ${PORT:-80} $$ ${A} 1"


def test_variables_inside_each_other_end_somewhere() -> None:
    """A text that would take the reader down is refused."""
    with pytest.raises(ValueError, match="inside each other"):
        fill("${A1:-" * 500 + "}" * 500, {})


def test_braces_that_nobody_closes_are_looked_for_once() -> None:
    """A hundred thousand of them took minutes."""
    text = "${" * 100_000
    assert fill(text, {}, bare=False, script=True).text == text
    assert fill(f"${{ {text} ${{A}}", VALUES, bare=False, script=True).text == f"${{ {text} 1"


@given(st.text("${}:-?+AB1 ", max_size=40))
def test_any_text_is_filled_in_or_refused(text: str) -> None:
    """Nothing else ever happens."""
    try:
        fill(text, VALUES)
    except ValueError as error:
        assert str(error)  # noqa: PT017 - what is allowed is said


@pytest.mark.parametrize(
    "shells", ["${PATH%%:*}", "${#NAME}", "${NAME#*/}", "${NAME/a/b}", "${1}", "${@}", "${!NAME}", "${NAME^^}", "${?}"]
)
def test_a_script_keeps_what_only_its_shell_can_mean(shells: str) -> None:
    """A command is the shell's: what no other reader knows stays, and what stands beside it is filled in."""
    filled = fill(f"{shells} ${{TAG:-none}} ${{", {"TAG": "v1"}, bare=False, script=True)
    assert filled.text == f"{shells} v1 ${{"
    with pytest.raises(ValueError, match="NAME"):
        fill(shells, {"TAG": "v1"}, bare=False)

"""Metric math, as far as alarms and policies of ours use it: + - * /, comparisons, FILL, IF, SUM.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

import ast
import operator
from collections.abc import Callable, Mapping
from datetime import datetime

from tests.rig.wire import AwsError

Points = dict[datetime, float]
Value = Points | float
_OPERATORS: Mapping[type[ast.AST], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


def evaluate(expression: str, known: Mapping[str, Points]) -> Points:
    """ValidationError for what is not understood. A number alone has no points."""
    every = sorted({moment for points in known.values() for moment in points})
    try:
        found = _value(ast.parse(expression, mode="eval").body, known, every)
    except (SyntaxError, KeyError, TypeError) as error:
        raise AwsError("ValidationError", f"Error in expression {expression!r}: {error}") from error
    return found if isinstance(found, dict) else dict.fromkeys(every, found)


def _value(node: ast.expr, known: Mapping[str, Points], every: list[datetime]) -> Value:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name):
            return known[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _pointwise(operator.sub, 0.0, _value(operand, known, every))
        case ast.BinOp(left=left, op=op, right=right):
            return _pointwise(_OPERATORS[type(op)], _value(left, known, every), _value(right, known, every))
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return _pointwise(_OPERATORS[type(op)], _value(left, known, every), _value(right, known, every))
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return _call(name, [_value(one, known, every) for one in arguments], every)
    raise TypeError(f"{ast.unparse(node)} is not understood")


def _call(name: str, given: list[Value], every: list[datetime]) -> Value:
    match name, given:
        case "FILL", [dict() as points, float() as number]:
            return {moment: points.get(moment, number) for moment in every}
        case "IF", [condition, yes, no]:
            where = condition if isinstance(condition, dict) else dict.fromkeys(every, condition)
            chosen = {moment: _at(yes if is_so else no, moment) for moment, is_so in where.items()}
            return {moment: value for moment, value in chosen.items() if value is not None}
        case "SUM", [dict() as points]:
            return sum(points.values())
    raise TypeError(f"{name} with {len(given)} arguments is not understood")


def _pointwise(operation: Callable[[float, float], float], left: Value, right: Value) -> Value:
    """Where both have a point; a division by nothing has none."""
    if not isinstance(left, dict) and not isinstance(right, dict):
        return float(operation(left, right))
    moments = left.keys() if isinstance(left, dict) else right.keys() if isinstance(right, dict) else ()
    found = {}
    for moment in moments:
        one, other = _at(left, moment), _at(right, moment)
        if one is None or other is None or (other == 0 and operation is operator.truediv):
            continue
        found[moment] = float(operation(one, other))
    return found


def _at(value: Value, moment: datetime) -> float | None:
    return value.get(moment) if isinstance(value, dict) else value

"""Plans as JSON: each record an object, each step an object with its kind. Driven by the types themselves."""

import types
import typing
from typing import Any

from detente.errors import UsageError
from detente.plan.plan import STEPS, Plan, Step
from detente.plan.request import without_login

SCHEMA = 1


def encode(plan: Plan) -> dict[str, Any]:
    """Return `plan` as JSON values with `schema` on top, and no password in any URL."""
    return {"schema": SCHEMA, **_encode(plan)}


def decode(value: Any) -> Plan:
    """Return the plan that `encode` wrote; raise UsageError where `value` is not one."""
    if not isinstance(value, dict) or value.get("schema") != SCHEMA:
        raise UsageError("this is not a plan that detente wrote", hint="write one with: detente install NAME -n --json")
    try:
        return typing.cast("Plan", _decode(Plan, {key: item for key, item in value.items() if key != "schema"}))
    except (KeyError, TypeError, ValueError, AttributeError) as err:
        raise UsageError(f"the plan is damaged: {err}", hint="write it anew with -n --json") from err


def _encode(value: Any) -> Any:
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {name: _encode(getattr(value, name)) for name in value._fields}
    if isinstance(value, (tuple, list)):
        return [_encode(item) for item in value]
    if isinstance(value, dict):
        return {key: _encode(item) for key, item in value.items()}
    return without_login(value) if isinstance(value, str) else value


def _decode(kind: Any, value: Any) -> Any:
    origin = typing.get_origin(kind)
    if kind is Step or (
        origin in (typing.Union, types.UnionType) and set(typing.get_args(kind)) == set(STEPS.values())
    ):
        return _decode(STEPS[value["step"]], value)
    if origin in (typing.Union, types.UnionType):
        inner = [item for item in typing.get_args(kind) if item is not type(None)]
        return None if value is None else _decode(inner[0], value)
    if origin is typing.Literal:
        if value not in typing.get_args(kind):
            raise ValueError(f"expected {typing.get_args(kind)[0]}, found {value!r}")
        return value
    if origin is tuple:
        _check(value, list)
        return tuple(_decode(typing.get_args(kind)[0], item) for item in value)
    if origin is dict:
        return {str(key): _decode(typing.get_args(kind)[1], item) for key, item in value.items()}
    if isinstance(kind, type) and hasattr(kind, "_fields"):
        hints = typing.get_type_hints(kind)
        return kind(**{name: _decode(hints[name], item) for name, item in value.items()})
    _check(value, kind)
    return value


def _check(value: Any, kind: type) -> None:
    if type(value) is not kind:  # bool is an int to isinstance, and JSON has no other subclasses
        raise TypeError(f"expected {kind.__name__}, found {value!r}")

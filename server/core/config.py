"""Decides what a valid config.yaml is: exactly the declared settings, and an error that names the line.

Each capability declares its own Settings; `app` hands their union in as one model.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from server.core.errors import DomainError

Model = TypeVar("Model", bound=BaseModel)


class Settings(BaseModel):
    """A group of settings: unknown keys are errors, values never change after the start."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def load(path: Path, model: type[Model], overrides: Mapping[str, Mapping[str, Any]] | None = None) -> Model:
    """Read a YAML file into `model`; `overrides` ({group: {key: value}}) win over the file.

    Raises DomainError config_unreadable (no file, no YAML) or config_invalid (data: file, line, key, problem).
    """
    try:
        text = path.read_text(encoding="utf-8")
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        values = yaml.safe_load(text) or {}
    except (OSError, UnicodeDecodeError) as error:
        raise DomainError("config_unreadable", file=path.name, problem=type(error).__name__) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else None
        raise DomainError("config_unreadable", file=path.name, line=line, problem=str(error)) from error
    if not isinstance(values, dict):
        raise DomainError("config_invalid", file=path.name, line=1, key="", problem="groups of settings expected")
    for group, keys in (overrides or {}).items():
        values[group] = {**(values.get(group) or {}), **keys}
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = first["loc"]
        key = ".".join(str(part) for part in where)
        if len(where) > 1 and where[1] in (overrides or {}).get(str(where[0]), {}):
            raise DomainError("config_invalid", file="command line", key=key, problem=first["msg"]) from error
        line = _line(tree, where)
        raise DomainError("config_invalid", file=path.name, line=line, key=key, problem=first["msg"]) from error


def _line(node: yaml.Node | None, location: tuple[int | str, ...]) -> int | None:
    """The line (from 1) of the deepest key on the way to `location`."""
    line = None
    for part in location:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == str(part)), None)
            if found is None:
                break
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    return line

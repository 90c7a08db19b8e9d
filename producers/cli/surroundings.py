"""What surrounds a command and fails it: settings, files, arguments, the terminal. A line tells, not a trace."""

import errno

import typer
from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsError

from producers.cli.errors import CommandError, StoppedWaitingError, UsageError

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_SETTINGS_CURE = "correct the environment; docs/reference/configuration.md has every setting"


def failure_of_surroundings(error: Exception) -> CommandError | None:
    """Turn what settings, files or the terminal refuse into a failure; None for what only a trace explains."""
    match error:
        case SettingsError():
            return UsageError(str(error), _SETTINGS_CURE)
        case ValidationError():
            return _of_settings(error)
        case UnicodeError():
            return _of_encoding(error)
        case OSError():
            return _of_system(error)
        case typer.Abort() if isinstance(error.__context__, KeyboardInterrupt):
            return StoppedWaitingError("stopped")
    return None


def _of_settings(error: ValidationError) -> CommandError | None:
    """Name the variable that is refused, without what it holds, which may be a secret."""
    prefix = _prefix_of(BaseSettings, error.title)
    if prefix is None:
        return None
    first = error.errors(include_url=False, include_input=False)[0]
    variable = f"{prefix}{'.'.join(map(str, first['loc']))}".upper()
    message = first["msg"].removeprefix("Value error, ")
    return UsageError(f"{variable}: {message}" if first["loc"] else message, _SETTINGS_CURE)


def _prefix_of(settings: type[BaseSettings], title: str) -> str | None:
    if settings.__name__ == title:
        return str(settings.model_config.get("env_prefix", ""))
    found = (_prefix_of(one, title) for one in settings.__subclasses__())
    return next((prefix for prefix in found if prefix is not None), None)


def _of_encoding(error: UnicodeError) -> CommandError | None:
    match error:
        case UnicodeDecodeError():
            return UsageError(f"what was read is no UTF-8 (byte {error.start})", "convert it with iconv")
        case UnicodeEncodeError(encoding="utf-8"):
            return UsageError("an argument is no UTF-8", "convert it, or set a locale of UTF-8")
        case UnicodeEncodeError():
            return CommandError(f"the output cannot be written in {error.encoding}", "set PYTHONIOENCODING=utf-8")
    return None


def _of_system(error: OSError) -> CommandError | None:
    if error.filename is not None:
        return CommandError(f"{error.filename}: {error.strerror}")
    if error.errno in _NO_ROOM:
        return CommandError(f"nothing more can be written: {error.strerror}")
    # Of a closed pipe whoever closed it needs no word.
    return None

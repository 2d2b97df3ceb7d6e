"""From a source's registered name to its object: the file of that name, and the one `CandidateSource` in it."""

from __future__ import annotations

from importlib import import_module

from loopwright.domain.enums import Source
from loopwright.retrieval.sources.source import CandidateSource


def source_of(source: Source, package: str = __package__) -> CandidateSource:
    """Return the object of a registered source; a process that cannot have all of them must not start.

    Args:
        source: A planned member of the registry.
        package: Where the files of the sources lie.

    Raises:
        ImportError: The registered source has no file.
        TypeError: Its file does not define exactly one `CandidateSource`, or one that says it is another source.
    """
    name = f"{package}.{source.name.lower()}"
    file = f"{name.replace('.', '/')}.py"
    try:
        module = import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise ImportError(f"{source!r} is registered in domain/enums.py, but there is no {file}") from error
    found = [
        member
        for member in vars(module).values()
        if isinstance(member, type) and issubclass(member, CandidateSource) and member.__module__ == name
    ]
    if len(found) != 1:
        raise TypeError(f"{file} must define one subclass of CandidateSource, and defines {len(found)}")
    made = found[0]()
    if getattr(made, "source", None) is not source:
        raise TypeError(f"{file}: {found[0].__name__} must say `source = Source.{source.name}`")
    return made

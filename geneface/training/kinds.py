"""What can be trained for a person: whatever stands in the packages of renderers and adapters, by its module's name.

A new kind is a new module; choices, help, settings and errors follow from its being there.
"""

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from geneface.errors import InputError


class Registry:
    """The modules of a package, by name.

    Args:
        package: Whose modules they are.
        kind: What one of them is called in a message.
    """

    def __init__(self, package: str, kind: str):
        self.package, self.kind = package, kind

    def names(self) -> list[str]:
        """Without importing any of them, so that help is quick."""
        return sorted(module.name for module in iter_modules(import_module(self.package).__path__))

    def check(self, name: str) -> str:
        """The name; `InputError` that lists what there is if it is none of them."""
        if name not in self.names():
            raise InputError(f"unknown {self.kind} {name!r}; choose one of {', '.join(self.names())}")
        return name

    def __getitem__(self, name: str) -> ModuleType:
        return import_module(f"{self.package}.{self.check(name)}")


RENDERERS = Registry("geneface.training.renderers", "renderer")
"""Each with `train(config, watch) -> Path`, whose first argument's class holds its settings (`LoopConfig`)."""
ADAPTERS = Registry("geneface.training.adapters", "adapter")
"""Each with `adapt(task: Adapting) -> Adapted` (`training.adapting`)."""
DEFAULT_RENDERER, DEFAULT_ADAPTER = "fast", "post_net"

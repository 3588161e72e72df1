"""GeneFace: speech in, photo-realistic talking portrait out."""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from geneface.errors import InputError
    from geneface.options import GenerationOptions
    from geneface.pipelines.pipeline import GeneFacePipeline, GeneFacePipelineOutput

__version__ = "0.1.0"
__all__ = ["GeneFacePipeline", "GeneFacePipelineOutput", "GenerationOptions", "InputError", "__version__"]

# Torch is imported when the pipeline is first asked for, not by `import geneface`.
_PLACES = {
    "GeneFacePipeline": "geneface.pipelines.pipeline",
    "GeneFacePipelineOutput": "geneface.pipelines.pipeline",
    "GenerationOptions": "geneface.options",
    "InputError": "geneface.errors",
}


def __getattr__(name: str) -> object:
    if name not in _PLACES:
        raise AttributeError(f"module 'geneface' has no attribute {name!r}")
    return getattr(importlib.import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

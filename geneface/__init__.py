"""GeneFace: speech in, photo-realistic talking portrait out."""

from typing import Any

__version__ = "0.1.0"
__all__ = ["GeneFacePipeline", "GeneFacePipelineOutput", "InputError", "__version__"]


def __getattr__(name: str) -> Any:
    # Torch is imported when the pipeline is first asked for, not by `import geneface`.
    if name in ("GeneFacePipeline", "GeneFacePipelineOutput"):
        from geneface import pipeline

        return getattr(pipeline, name)
    if name == "InputError":
        from geneface.errors import InputError

        return InputError
    raise AttributeError(f"module 'geneface' has no attribute {name!r}")

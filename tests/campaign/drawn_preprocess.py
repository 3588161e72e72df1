"""`geneface preprocess` of the drawn head, with what stands in for the third-party models.

python -m tests.campaign.drawn_preprocess FOLDER TARGET
"""

import sys
from pathlib import Path


def main(folder: Path, target: Path) -> None:
    import pytest
    from drawn_person import Actor, ColourParser, NumberDetector, no_correspondence

    from geneface.face.face_model import FaceModel
    from geneface.hub import assets
    from geneface.preprocessing import preprocess_steps
    from geneface.preprocessing.preprocess import preprocess

    actor = Actor(FaceModel.load(folder / "face.safetensors"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(preprocess_steps.Job, "detector", lambda self: NumberDetector(actor))
        patch.setattr(preprocess_steps, "FaceParser", ColourParser)
        patch.setattr(preprocess_steps, "find_correspondence", no_correspondence)
        patch.setattr(assets, "get_asset", lambda *asset: folder / "face.safetensors")
        preprocess(folder / "video.mp4", target)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
